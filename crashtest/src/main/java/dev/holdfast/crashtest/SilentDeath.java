package dev.holdfast.crashtest;

import dev.holdfast.crashtest.resource.ProcessCrashed;
import java.lang.Thread.UncaughtExceptionHandler;

/** Lets a thread end without a word when its process was crashed, and as before otherwise. */
final class SilentDeath implements UncaughtExceptionHandler {
  private static final int DEEPEST = 20;

  private final UncaughtExceptionHandler former;

  private SilentDeath(UncaughtExceptionHandler former) {
    this.former = former;
  }

  static void of(Thread thread) {
    UncaughtExceptionHandler former = thread.getUncaughtExceptionHandler();
    if (former != null && !(former instanceof SilentDeath)) {
      thread.setUncaughtExceptionHandler(new SilentDeath(former));
    }
  }

  @Override
  public void uncaughtException(Thread thread, Throwable thrown) {
    Throwable each = thrown;
    for (int depth = 0; each != null && depth < DEEPEST; depth++) {
      if (each instanceof ProcessCrashed) {
        return;
      }
      each = each.getCause();
    }
    former.uncaughtException(thread, thrown);
  }
}
