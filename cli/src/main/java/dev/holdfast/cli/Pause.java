package dev.holdfast.cli;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** The one place where this program waits by the clock. */
public final class Pause {
  private Pause() {}

  public static void of(Duration duration) throws InterruptedException {
    Thread.sleep(duration.toMillis());
  }

  /**
   * Waits until a condition holds.
   *
   * @return whether it did within the bound
   */
  public static boolean until(Duration bound, Duration interval, BooleanSupplier condition)
      throws InterruptedException {
    long deadline = System.nanoTime() + bound.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline >= 0) {
        return false;
      }
      of(interval);
    }
    return true;
  }
}
