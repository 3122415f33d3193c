package dev.holdfast.workflow;

import dev.holdfast.InvalidConfiguration;
import java.time.Duration;

/**
 * How this process runs workflows.
 *
 * @param lease how long after a process has died others take its runs over; 1 s to 10 min, default
 *     10 s, by the database's clock
 * @param pollInterval how often it is looked at the latest for runs that are due, 10 ms to 1 min,
 *     default 1 s; what becomes due in between is looked for in time
 * @param inFlight how many runs this process executes at once, 1 to 10,000, default 128; each has a
 *     thread, a virtual one where there are such
 * @param commitAtMost how many runs' appends share a commit at most, 1 to 10,000, default 256
 * @param valueBytesAtMost how large an input, a result or a signal may be as JSON, 1,000 to
 *     100,000,000 characters, default 1,000,000
 * @param keepEnded how long a run that has ended is kept; 0 to 3,650 days, default 7 days. Its id
 *     can be started anew afterwards
 */
public record WorkflowSettings(
    Duration lease,
    Duration pollInterval,
    int inFlight,
    int commitAtMost,
    int valueBytesAtMost,
    Duration keepEnded) {

  public static final WorkflowSettings DEFAULT =
      new WorkflowSettings(
          Duration.ofSeconds(10), Duration.ofSeconds(1), 128, 256, 1_000_000, Duration.ofDays(7));

  public WorkflowSettings {
    check("lease", lease, Duration.ofSeconds(1), Duration.ofMinutes(10));
    check("pollInterval", pollInterval, Duration.ofMillis(10), Duration.ofMinutes(1));
    check("inFlight", inFlight, 1, 10_000);
    check("commitAtMost", commitAtMost, 1, 10_000);
    check("valueBytesAtMost", valueBytesAtMost, 1_000, 100_000_000);
    check("keepEnded", keepEnded, Duration.ZERO, Duration.ofDays(3_650));
  }

  private static void check(String name, Duration value, Duration least, Duration most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new InvalidConfiguration(
          "%s is %s, and must be %s to %s. Nothing was started."
              .formatted(name, value, least, most));
    }
  }

  private static void check(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new InvalidConfiguration(
          "%s is %,d, and must be %,d to %,d. Nothing was started."
              .formatted(name, value, least, most));
    }
  }

  public WorkflowSettings withLease(Duration value) {
    return new WorkflowSettings(
        value, pollInterval, inFlight, commitAtMost, valueBytesAtMost, keepEnded);
  }

  public WorkflowSettings withPollInterval(Duration value) {
    return new WorkflowSettings(lease, value, inFlight, commitAtMost, valueBytesAtMost, keepEnded);
  }

  public WorkflowSettings withInFlight(int value) {
    return new WorkflowSettings(
        lease, pollInterval, value, commitAtMost, valueBytesAtMost, keepEnded);
  }

  public WorkflowSettings withCommitAtMost(int value) {
    return new WorkflowSettings(lease, pollInterval, inFlight, value, valueBytesAtMost, keepEnded);
  }

  public WorkflowSettings withValueBytesAtMost(int value) {
    return new WorkflowSettings(lease, pollInterval, inFlight, commitAtMost, value, keepEnded);
  }

  public WorkflowSettings withKeepEnded(Duration value) {
    return new WorkflowSettings(
        lease, pollInterval, inFlight, commitAtMost, valueBytesAtMost, value);
  }
}
