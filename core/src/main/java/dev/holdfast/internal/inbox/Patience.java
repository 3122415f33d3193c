package dev.holdfast.internal.inbox;

import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The waits of a worker, which grow, and end when its listener is closed. One thread's but for end.
 */
final class Patience {
  private static final Logger log = LoggerFactory.getLogger(BrokerListener.class);

  private static final Duration FIRST_WAIT = Duration.ofMillis(100);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

  private final String source;
  private final Doorbell closing = new Doorbell();
  private final Backoff brokerDown = backoff();
  private final Backoff databaseDown = backoff();
  private final Backoff failures = backoff();
  private volatile boolean ends;

  Patience(String source) {
    this.source = source;
  }

  private static Backoff backoff() {
    return new Backoff(FIRST_WAIT, LONGEST_WAIT, ThreadLocalRandom.current());
  }

  void end() {
    ends = true;
    closing.ring();
  }

  boolean ends() {
    return ends;
  }

  void waitForBroker() throws InterruptedException {
    pause(brokerDown.next());
  }

  void brokerAnswers() {
    brokerDown.reset();
  }

  void waitForDatabase(Throwable cause) throws InterruptedException {
    if (databaseDown.failures() == 0) {
      log.warn(
          "The database, or what a handler needs, is out of reach ({}). The message in hand waits and nothing more of {} is handled; no attempt is used up.",
          text(cause),
          source);
    }
    pause(databaseDown.next());
  }

  void databaseAnswers() {
    databaseDown.reset();
  }

  void waitAfterFailure() throws InterruptedException {
    pause(failures.next());
  }

  /** The message in hand is done with. */
  void next() {
    failures.reset();
  }

  void pause(Duration wait) throws InterruptedException {
    if (closing.await(wait)) {
      // For whoever waits next.
      closing.ring();
    }
  }

  /** What an error says; some say it in their cause alone. */
  static String text(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      String message = e.getMessage();
      if (message != null && !message.isEmpty()) {
        return message;
      }
    }
    return error.getClass().getSimpleName();
  }
}
