package dev.holdfast.cli.demo;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.BooleanSupplier;

/** The one place where this program reads the clock and waits by it. */
final class Timing {
  private Timing() {}

  static Instant now() {
    return Instant.now();
  }

  /** Microseconds since 1970, as times travel between the driver and the service. */
  static long micros(Instant instant) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
  }

  static void pause(Duration duration) throws InterruptedException {
    Thread.sleep(duration.toMillis());
  }

  /**
   * Waits until a condition holds.
   *
   * @return whether it did within the bound
   */
  static boolean until(Duration bound, Duration interval, BooleanSupplier condition)
      throws InterruptedException {
    Stopwatch waited = start();
    while (!condition.getAsBoolean()) {
      if (waited.hasPassed(bound)) {
        return false;
      }
      pause(interval);
    }
    return true;
  }

  static Stopwatch start() {
    return new Stopwatch(System.nanoTime());
  }

  /** Time that goes by, whatever is done to the wall clock. */
  record Stopwatch(long startNanos) {
    double seconds() {
      return (System.nanoTime() - startNanos) / 1e9;
    }

    boolean hasPassed(Duration bound) {
      return System.nanoTime() - startNanos >= bound.toNanos();
    }
  }
}
