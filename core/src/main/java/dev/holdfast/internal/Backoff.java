package dev.holdfast.internal;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** Growing waits between attempts, with jitter, up to a bound. Not thread-safe. */
public final class Backoff {
  private final Duration first;
  private final Duration most;
  private final RandomGenerator random;
  private int failures;

  public Backoff(Duration first, Duration most, RandomGenerator random) {
    this.first = first;
    this.most = most;
    this.random = random;
  }

  /** The wait after one more failure: between half and the whole of a doubling step. */
  public Duration next() {
    long full = first.toNanos();
    for (int i = 0; i < failures && full < most.toNanos(); i++) {
      full *= 2;
    }
    failures++;
    long half = Math.max(1, Math.min(full, most.toNanos()) / 2);
    return Duration.ofNanos(half + random.nextLong(half));
  }

  public void reset() {
    failures = 0;
  }

  public int failures() {
    return failures;
  }
}
