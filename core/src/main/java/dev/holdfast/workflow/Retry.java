package dev.holdfast.workflow;

import dev.holdfast.InvalidConfiguration;
import java.time.Duration;

/**
 * How often something is attempted, and what is waited in between: each time twice as long, up to a
 * bound. A wait of more than a second holds no thread.
 *
 * @param attempts in all; {@link Integer#MAX_VALUE} is for ever
 * @param first the wait after the first attempt; at least 1 ms
 * @param most the longest wait; up to 30 days
 */
public record Retry(int attempts, Duration first, Duration most) {

  /** Once. */
  public static final Retry NONE = new Retry(1, Duration.ofSeconds(1), Duration.ofMinutes(1));

  /** What a call gets that sets nothing: ten attempts, from 200 ms to a minute. */
  public static final Retry CALL = new Retry(10, Duration.ofMillis(200), Duration.ofMinutes(1));

  /** What a compensation gets that sets nothing: twenty attempts, from 200 ms to five minutes. */
  public static final Retry COMPENSATION =
      new Retry(20, Duration.ofMillis(200), Duration.ofMinutes(5));

  public Retry {
    if (attempts < 1
        || first.compareTo(Duration.ofMillis(1)) < 0
        || most.compareTo(first) < 0
        || most.compareTo(Duration.ofDays(30)) > 0) {
      throw new InvalidConfiguration(
          "A retry of %,d attempts with waits of %s to %s cannot be used: attempts are 1 or more, waits 1 ms to 30 days, the first not above the longest."
              .formatted(attempts, first, most));
    }
  }

  public static Retry times(int attempts) {
    return NONE.withAttempts(attempts);
  }

  public static Retry forever() {
    return NONE.withAttempts(Integer.MAX_VALUE);
  }

  public Retry withAttempts(int value) {
    return new Retry(value, first, most);
  }

  public Retry withWaits(Duration shortest, Duration longest) {
    return new Retry(attempts, shortest, longest);
  }

  /** The wait after so many attempts. */
  public Duration waitAfter(int failures) {
    Duration wait = first;
    for (int i = 1; i < failures && wait.compareTo(most) < 0; i++) {
      wait = wait.multipliedBy(2);
    }
    return wait.compareTo(most) > 0 ? most : wait;
  }
}
