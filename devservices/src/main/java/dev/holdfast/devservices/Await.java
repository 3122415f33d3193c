package dev.holdfast.devservices;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Bounded waiting; the one place of this module that reads the clock and sleeps. */
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
    if (!holdsWithin(timeout, condition)) {
      throw new DevServiceException(timeoutMessage.get());
    }
  }

  /** Like {@link #until} but answers whether the condition came to hold. */
  static boolean holdsWithin(Duration timeout, BooleanSupplier condition) {
    long deadline = nanos() + timeout.toNanos();
    while (!condition.getAsBoolean()) {
      if (nanos() - deadline >= 0) {
        return false;
      }
      pause();
    }
    return true;
  }

  /** A reading whose differences are times. */
  static long nanos() {
    return System.nanoTime();
  }

  /** Returns when a reading of {@link #nanos} is due, or earlier, when the condition holds. */
  static void due(long nanos, BooleanSupplier cancelled) {
    long left = nanos - nanos();
    while (left > 0 && !cancelled.getAsBoolean()) {
      LockSupport.parkNanos(left);
      left = nanos - nanos();
    }
  }

  static Instant now() {
    return Instant.now();
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
