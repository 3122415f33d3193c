package dev.holdfast.workflow;

import dev.holdfast.InvalidConfiguration;
import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Bounds how many runs that were put into a queue are under way at once, in all processes together,
 * and how often one begins. Runs wait as rows, and begin in the order in which they are due; with a
 * bound for each key, keys take turns. A run holds its place from when it first begins until it has
 * ended, also while it waits or is stuck.
 *
 * <p>Every process that is to let runs in is given the queue; where processes have been given
 * different bounds, each goes by its own. A run that is cancelled does not wait for its turn; one
 * that had ended and is restarted waits for a new one.
 *
 * @param name 1 to 100 of {@code a-z 0-9 . _ -}; goes to the database, so keep it stable
 * @param concurrency how many runs may be under way, 1 to 1,000,000; {@code null} for any number
 * @param perKey the same for runs of one key, those without one together; {@code null} for any
 *     number
 * @param rate how many runs may begin within any period of {@code per}, 1 to 1,000,000; {@code
 *     null} for any number
 * @param per 1 ms to 1 day, and no longer than runs that have ended are kept, which are counted
 */
public record WorkflowQueue(
    String name,
    @Nullable Integer concurrency,
    @Nullable Integer perKey,
    @Nullable Integer rate,
    @Nullable Duration per) {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,99}");
  private static final int MOST = 1_000_000;

  public WorkflowQueue {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidConfiguration(
          "The queue's name is \"%s\", and must be 1 to 100 of the characters a-z 0-9 . _ -, beginning with a letter or a digit. Nothing was started."
              .formatted(name));
    }
    check(name, "concurrency", concurrency);
    check(name, "perKey", perKey);
    check(name, "rate", rate);
    if ((rate == null) != (per == null)
        || (per != null
            && (per.compareTo(Duration.ofMillis(1)) < 0
                || per.compareTo(Duration.ofDays(1)) > 0))) {
      throw new InvalidConfiguration(
          "Queue %s has a rate of %s per %s: both are needed, and the period is 1 ms to 1 day. Nothing was started."
              .formatted(name, rate, per));
    }
  }

  /** A queue without bounds, which are added. */
  public static WorkflowQueue named(String name) {
    return new WorkflowQueue(name, null, null, null, null);
  }

  public WorkflowQueue withConcurrency(int value) {
    return new WorkflowQueue(name, value, perKey, rate, per);
  }

  public WorkflowQueue withConcurrencyPerKey(int value) {
    return new WorkflowQueue(name, concurrency, value, rate, per);
  }

  public WorkflowQueue withRate(int value, Duration period) {
    return new WorkflowQueue(name, concurrency, perKey, value, period);
  }

  private static void check(String queue, String name, @Nullable Integer value) {
    if (value != null && (value < 1 || value > MOST)) {
      throw new InvalidConfiguration(
          "%s of queue %s is %,d, and must be 1 to %,d. Nothing was started."
              .formatted(name, queue, value, MOST));
    }
  }
}
