package dev.holdfast.jms;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes connections to brokers that may not answer. */
final class Closing {
  private static final Logger log = LoggerFactory.getLogger(Closing.class);
  private static final long LONGEST_WAIT_MS = 2_000;

  private Closing() {}

  /**
   * Closes a connection with all that hangs on it. When the broker takes longer than two seconds to
   * answer, that goes on in the background, as long as the provider lets it. Never throws.
   */
  static void quickly(Connection connection) {
    Thread closer = new Thread(() -> close(connection), "holdfast-jms-closing");
    closer.setDaemon(true);
    closer.start();
    try {
      closer.join(LONGEST_WAIT_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static void close(Connection connection) {
    try {
      connection.close();
    } catch (JMSException | RuntimeException e) {
      log.debug("A JMS connection was not closed cleanly", e);
    }
  }
}
