package dev.holdfast.cli.prove;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.holdfast.crashtest.resource.ProcessCrashed;
import java.lang.Thread.UncaughtExceptionHandler;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Keeps the processes that the lab crashes from complaining on this program's standard error: their
 * threads end with {@link ProcessCrashed}, and their relays say that they have failed. Both are
 * what was ordered. A log level that was asked for stays.
 */
final class Quiet implements AutoCloseable {
  private static final String ASKED_FOR = "holdfast.log";

  private final @Nullable UncaughtExceptionHandler formerHandler =
      Thread.getDefaultUncaughtExceptionHandler();
  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.holdfast");
  private final @Nullable Level formerLevel = logger.getLevel();

  Quiet() {
    Thread.setDefaultUncaughtExceptionHandler(this::uncaught);
    if (System.getProperty(ASKED_FOR) == null) {
      logger.setLevel(Level.OFF);
    }
  }

  private void uncaught(Thread thread, Throwable thrown) {
    if (thrown instanceof ProcessCrashed) {
      return;
    }
    if (formerHandler != null) {
      formerHandler.uncaughtException(thread, thrown);
    } else {
      System.err.println("holdfast: thread " + thread.getName() + " ended with " + thrown);
    }
  }

  @Override
  public void close() {
    Thread.setDefaultUncaughtExceptionHandler(formerHandler);
    logger.setLevel(formerLevel);
  }
}
