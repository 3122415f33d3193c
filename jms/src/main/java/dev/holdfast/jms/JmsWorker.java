package dev.holdfast.jms;

import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.inbox.Reception;
import dev.holdfast.internal.inbox.Reception.Result;
import jakarta.jms.BytesMessage;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.StreamMessage;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives one message at a time, has it handled, and tells the broker when that is committed. The
 * database's commit always comes first: whatever dies in between leaves a message that comes again
 * and is known.
 */
final class JmsWorker implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(JmsWorker.class);

  /** How long {@link JmsInbox#close} may go unnoticed. */
  private static final long POLL_MS = 200;

  private static final Duration FIRST_WAIT = Duration.ofMillis(100);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

  private final JmsInbox.Source source;
  private final JmsHandler handler;
  private final Reception reception;
  private final JmsInbox.Counters counters;
  private final Doorbell closing = new Doorbell();
  private final Backoff brokerDown = backoff();
  private final Backoff databaseDown = backoff();
  private final Backoff failures = backoff();
  private volatile boolean ends;

  JmsWorker(
      JmsInbox.Source source, JmsHandler handler, Reception reception, JmsInbox.Counters counters) {
    this.source = source;
    this.handler = handler;
    this.reception = reception;
    this.counters = counters;
  }

  private static Backoff backoff() {
    return new Backoff(FIRST_WAIT, LONGEST_WAIT, ThreadLocalRandom.current());
  }

  /** Lets it end when it has finished what it is handling. */
  void end() {
    ends = true;
    closing.ring();
  }

  @Override
  public void run() {
    try {
      while (!ends) {
        receiveWhileConnected();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void receiveWhileConnected() throws InterruptedException {
    boolean connected = false;
    try (JmsLink link =
        JmsLink.open(source.factory(), source.destination(), source.settings().subscription())) {
      connected = true;
      counters.connected.incrementAndGet();
      log.debug("Receiving from {}", source.destination());
      while (!ends) {
        Message message = link.receive(POLL_MS);
        // It answers, be it that there is nothing.
        brokerDown.reset();
        if (message != null) {
          take(link, message);
        }
      }
    } catch (JMSException | RuntimeException e) {
      if (!ends) {
        log.warn(
            "{} cannot be received from ({}). What was not acknowledged comes again; it is tried again.",
            source.destination(),
            Failures.text(e));
        log.debug("The broker's error", e);
      }
    } finally {
      if (connected) {
        counters.connected.decrementAndGet();
      }
    }
    if (!ends) {
      pause(brokerDown.next());
    }
  }

  private void take(JmsLink link, Message message) throws JMSException, InterruptedException {
    Result result = bring(message);
    while (result instanceof Result.Outage outage) {
      if (databaseDown.failures() == 0) {
        log.warn(
            "The database, or what a handler needs, is out of reach ({}). The message in hand waits and nothing more is received from {}; no attempt is used up.",
            Failures.text(outage.cause()),
            source.destination());
      }
      pause(databaseDown.next());
      if (ends) {
        // Closing the session gives the message back.
        return;
      }
      result = bring(message);
    }
    databaseDown.reset();
    if (result instanceof Result.Handled handled) {
      link.commit();
      failures.reset();
      (handled.repeated() ? counters.repeated : counters.handled).incrementAndGet();
    } else if (result instanceof Result.Unusable unusable) {
      giveUpOn(link, message, true, unusable.cause());
    } else if (result instanceof Result.Failed failed) {
      giveUpOn(link, message, false, failed.cause());
    }
  }

  private Result bring(Message message) throws JMSException {
    Incoming incoming;
    try {
      incoming = Incomings.of(message);
    } catch (InvalidMessage e) {
      return new Result.Unusable(e);
    }
    return reception.bring(
        incoming,
        tx -> {
          try {
            rewind(message);
            handler.handle(tx, message);
          } catch (JMSException e) {
            throw new UnreadableMessage(e);
          }
          return Reply.NONE;
        });
  }

  /** A body that is read as a stream has to be there again for the next run. */
  private static void rewind(Message message) throws JMSException {
    if (message instanceof BytesMessage bytes) {
      bytes.reset();
    } else if (message instanceof StreamMessage stream) {
      stream.reset();
    }
  }

  private void giveUpOn(JmsLink link, Message message, boolean atOnce, Throwable cause)
      throws JMSException, InterruptedException {
    counters.failed.incrementAndGet();
    int attempts = attempts(message);
    JmsDestination deadLetter = source.settings().deadLetter();
    if (deadLetter != null && (atOnce || attempts >= source.settings().attempts())) {
      link.moveTo(deadLetter, message, attempts, Failures.text(cause));
      counters.deadLettered.incrementAndGet();
      log.error(
          "Message {} from {} could not be handled in {} attempt(s). It is in {}.",
          message.getJMSMessageID(),
          source.destination(),
          attempts,
          deadLetter,
          cause);
      return;
    }
    log.warn(
        "Attempt {} to handle message {} from {} failed. Nothing of it is left, and it is the broker's again.",
        attempts,
        message.getJMSMessageID(),
        source.destination(),
        cause);
    link.rollback();
    pause(failures.next());
  }

  /** This one included; every provider of JMS 2.0 and later counts them. */
  private static int attempts(Message message) throws JMSException {
    return message.propertyExists("JMSXDeliveryCount")
        ? message.getIntProperty("JMSXDeliveryCount")
        : 1;
  }

  private void pause(Duration wait) throws InterruptedException {
    if (closing.await(wait)) {
      // For whoever waits next.
      closing.ring();
    }
  }
}
