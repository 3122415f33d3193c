package dev.holdfast.devservices;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Bounded waiting for a condition; the one place of this module that sleeps. */
final class Await {
  private static final long POLL_MS = 5;

  private Await() {}

  /**
   * Polls until the condition holds.
   *
   * @param timeoutMessage asked only when the time is over, so that it can describe what was found
   * @throws DevServiceException when the time is over, or the thread was interrupted
   */
  static void until(Duration timeout, BooleanSupplier condition, Supplier<String> timeoutMessage) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline >= 0) {
        throw new DevServiceException(timeoutMessage.get());
      }
      pause();
    }
  }

  /** Like {@link #until} but answers whether the condition came to hold. */
  static boolean holdsWithin(Duration timeout, BooleanSupplier condition) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline >= 0) {
        return false;
      }
      pause();
    }
    return true;
  }

  private static void pause() {
    try {
      Thread.sleep(POLL_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DevServiceException(
          "Interrupted while waiting for a server. Its state is unknown; close it.", e);
    }
  }
}
