package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Problem;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Bounded waiting, and the only place of the engine that reads a clock. */
final class Await {
  private static final long FIRST_PAUSE_NANOS = 500_000;
  private static final long LONGEST_PAUSE_NANOS = 20_000_000;

  private final long start = System.nanoTime();
  private long pauseNanos = FIRST_PAUSE_NANOS;

  private Await() {}

  /** Starts a clock. */
  static Await begin() {
    return new Await();
  }

  Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  boolean isOver(Duration timeout) {
    return elapsed().compareTo(timeout) >= 0;
  }

  /** Waits a little, and each time a little longer, before a condition is looked at again. */
  void pause() {
    java.util.concurrent.locks.LockSupport.parkNanos(pauseNanos);
    if (Thread.currentThread().isInterrupted()) {
      throw new CrashLabException(
          Problem.Kind.INTERRUPTED,
          "Interrupted while waiting. The run says nothing; run it again.");
    }
    pauseNanos = Math.min(LONGEST_PAUSE_NANOS, pauseNanos * 2);
  }

  /** Whether it is done, normally or not, within the time. */
  static boolean done(CompletableFuture<?> future, Duration timeout) {
    try {
      future.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (ExecutionException e) {
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return future.isDone();
    }
  }
}
