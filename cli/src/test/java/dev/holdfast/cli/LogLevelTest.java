package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class LogLevelTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.holdfast");

  @Test
  void whatACommandWishesEndsWithTheCommand() {
    Level before = logger.getLevel();
    try (LogLevel log = LogLevel.speaking()) {
      assertThat(logger.getLevel()).isEqualTo(Level.INFO);
    }
    try (LogLevel log = LogLevel.silent()) {
      assertThat(logger.getLevel()).isEqualTo(Level.OFF);
    }
    assertThat(logger.getLevel()).isEqualTo(before);
    assertThat(System.getProperties()).doesNotContainKey("holdfast.log");
  }

  @Test
  void aLevelThatWasAskedForStays() {
    Level before = logger.getLevel();
    System.setProperty("holdfast.log", "TRACE");
    try (LogLevel log = LogLevel.silent()) {
      assertThat(logger.getLevel()).isEqualTo(before);
    } finally {
      System.clearProperty("holdfast.log");
    }
  }
}
