package dev.holdfast.internal;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets one thread wait until others ring or a time has passed. Rings that come while nobody waits
 * are remembered as one. Thread-safe. The only place where the core waits for time to pass.
 */
public final class Doorbell {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition rung = lock.newCondition();
  private boolean pending;

  /** Wakes the waiting thread, or lets the next wait return at once. */
  public void ring() {
    lock.lock();
    try {
      pending = true;
      rung.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for a ring, at most this long.
   *
   * @return whether it was rung
   * @throws InterruptedException when the thread is interrupted
   */
  public boolean await(Duration atMost) throws InterruptedException {
    long nanos = atMost.toNanos();
    lock.lockInterruptibly();
    try {
      while (!pending && nanos > 0) {
        nanos = rung.awaitNanos(nanos);
      }
      boolean was = pending;
      pending = false;
      return was;
    } finally {
      lock.unlock();
    }
  }

  /** A monotonic reading, for measuring what has passed since another. */
  public static long nanos() {
    return System.nanoTime();
  }

  /** What has passed since a {@linkplain #nanos() reading}. */
  public static Duration since(long nanos) {
    return Duration.ofNanos(nanos() - nanos);
  }

  /** Whether at least this much has passed since a {@linkplain #nanos() reading}. */
  public static boolean hasPassed(Duration duration, long since) {
    return nanos() - since >= TimeUnit.NANOSECONDS.convert(duration);
  }
}
