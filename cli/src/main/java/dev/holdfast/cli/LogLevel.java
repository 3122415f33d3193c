package dev.holdfast.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * How much of Holdfast's own log a command shows while it runs. A level that was asked for with
 * {@code -Dholdfast.log} stays; so does, afterwards, what was shown before.
 */
public final class LogLevel implements AutoCloseable {
  private static final String ASKED_FOR = "holdfast.log";

  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.holdfast");
  private final @Nullable Level former = logger.getLevel();

  private LogLevel(Level level) {
    if (System.getProperty(ASKED_FOR) == null) {
      logger.setLevel(level);
    }
  }

  /** For a command that people watch through its log. */
  public static LogLevel speaking() {
    return new LogLevel(Level.INFO);
  }

  /** For a command that crashes on purpose, whose relays say that they have failed. */
  public static LogLevel silent() {
    return new LogLevel(Level.OFF);
  }

  @Override
  public void close() {
    logger.setLevel(former);
  }
}
