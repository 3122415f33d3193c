package dev.holdfast.projection;

import dev.holdfast.InvalidConfiguration;
import java.time.Duration;

/**
 * How projections are carried out. Immutable.
 *
 * @param batch how many events are read and applied in one transaction at most, 1 to 10,000,
 *     default 500
 * @param attempts how often an event is tried by itself before its key is parked, 1 to 1,000,
 *     default 5. Where a thousand keys of a slot are parked already, it is tried until it can be
 *     applied
 * @param retryWait how long is waited before the second attempt, doubled for each further one up to
 *     a minute; 1 ms to 1 min, default 50 ms
 * @param lease after how long another process takes a slot over whose owner is gone; 1 s to 1 h,
 *     default 10 s. An owner that takes longer for one batch may be relieved, and then does that
 *     for nothing
 * @param pollInterval how long nothing is looked for where there was nothing; 1 ms to 1 min,
 *     default 100 ms
 */
public record ProjectionSettings(
    int batch, int attempts, Duration retryWait, Duration lease, Duration pollInterval) {
  public static final ProjectionSettings DEFAULT =
      new ProjectionSettings(
          500, 5, Duration.ofMillis(50), Duration.ofSeconds(10), Duration.ofMillis(100));

  /**
   * @throws InvalidConfiguration when one is out of its bounds
   */
  public ProjectionSettings {
    check("batch", batch, 1, 10_000);
    check("attempts", attempts, 1, 1_000);
    check("retryWait", retryWait, Duration.ofMillis(1), Duration.ofMinutes(1));
    check("lease", lease, Duration.ofSeconds(1), Duration.ofHours(1));
    check("pollInterval", pollInterval, Duration.ofMillis(1), Duration.ofMinutes(1));
  }

  private static <T extends Comparable<T>> void check(String name, T value, T least, T most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new InvalidConfiguration(
          "The projections' %s is %s, and must be %s to %s. Nothing was started."
              .formatted(name, value, least, most));
    }
  }

  /** For how long it may be waited for events at once: a lease has to be renewed meanwhile. */
  Duration longestWait() {
    Duration untilRenewal = lease.dividedBy(4);
    return pollInterval.compareTo(untilRenewal) < 0 ? pollInterval : untilRenewal;
  }

  public ProjectionSettings withBatch(int value) {
    return new ProjectionSettings(value, attempts, retryWait, lease, pollInterval);
  }

  public ProjectionSettings withAttempts(int value, Duration wait) {
    return new ProjectionSettings(batch, value, wait, lease, pollInterval);
  }

  public ProjectionSettings withLease(Duration value) {
    return new ProjectionSettings(batch, attempts, retryWait, value, pollInterval);
  }

  public ProjectionSettings withPollInterval(Duration value) {
    return new ProjectionSettings(batch, attempts, retryWait, lease, value);
  }
}
