package dev.holdfast.internal.workflow;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Calls somebody else on this thread, and interrupts it when that takes too long. */
final class Limited {
  private final Thread thread = Thread.currentThread();
  private boolean isOver;
  private boolean wasInterrupted;

  private Limited() {}

  /**
   * @throws TimeoutException when it was interrupted for taking too long, and threw
   */
  static <T> T call(ScheduledExecutorService timer, Duration atMost, Callable<T> work)
      throws Exception {
    Limited limited = new Limited();
    ScheduledFuture<?> alarm =
        timer.schedule(limited::interrupt, atMost.toMillis(), TimeUnit.MILLISECONDS);
    try {
      return work.call();
    } catch (Exception e) {
      if (limited.end()) {
        TimeoutException timeout =
            new TimeoutException("there was no answer within " + atMost.toMillis() + " ms");
        timeout.initCause(e);
        throw timeout;
      }
      throw e;
    } finally {
      limited.end();
      alarm.cancel(false);
    }
  }

  private synchronized void interrupt() {
    if (!isOver) {
      wasInterrupted = true;
      thread.interrupt();
    }
  }

  /** From now on nobody interrupts; an interrupt that came too late is forgotten. */
  private synchronized boolean end() {
    if (!isOver) {
      isOver = true;
      if (wasInterrupted) {
        Thread.interrupted();
      }
    }
    return wasInterrupted;
  }
}
