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
    int doublings = Math.min(failures++, 30);
    double full = Math.min(most.toNanos(), (double) first.toNanos() * (1L << doublings));
    return Duration.ofNanos((long) (full * (0.5 + random.nextDouble() / 2)));
  }

  public void reset() {
    failures = 0;
  }

  public int failures() {
    return failures;
  }
}
