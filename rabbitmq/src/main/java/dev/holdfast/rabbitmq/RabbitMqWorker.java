package dev.holdfast.rabbitmq;

import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.ShutdownSignalException;
import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.inbox.Reception;
import dev.holdfast.internal.inbox.Reception.Result;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives one message at a time, has it handled, and tells the broker when that is committed. The
 * database's commit always comes first: whatever dies in between leaves a message that comes again
 * and is known.
 */
final class RabbitMqWorker implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(RabbitMqWorker.class);

  /** How long {@link RabbitMqInbox#close} may go unnoticed. */
  private static final long POLL_MS = 200;

  private static final int LONGEST_OPERATION_ID = 200;
  private static final Duration FIRST_WAIT = Duration.ofMillis(100);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

  private final RabbitMqInbox.Source source;
  private final RabbitMqHandler handler;
  private final Reception reception;
  private final RabbitMqInbox.Counters counters;
  private final Doorbell closing = new Doorbell();
  private final Backoff brokerDown = backoff();
  private volatile boolean ends;

  RabbitMqWorker(
      RabbitMqInbox.Source source,
      RabbitMqHandler handler,
      Reception reception,
      RabbitMqInbox.Counters counters) {
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
    try (RabbitMqLink link =
        RabbitMqLink.open(source.factory(), source.queue(), source.settings().prefetch())) {
      connected = true;
      counters.connected.incrementAndGet();
      while (!ends) {
        Delivery message = link.receive(POLL_MS);
        // It answers, be it that there is nothing.
        brokerDown.reset();
        if (message != null) {
          take(link, message);
        }
      }
    } catch (IOException | TimeoutException | ShutdownSignalException e) {
      if (!ends) {
        log.warn(
            "Queue {} cannot be received from ({}). What was not acknowledged comes again; it is tried again.",
            source.queue(),
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

  private void take(RabbitMqLink link, Delivery message) throws IOException, InterruptedException {
    Backoff databaseDown = backoff();
    Backoff failures = backoff();
    int attempts = deliveriesBefore(message);
    while (true) {
      Result result = bring(message);
      if (result instanceof Result.Handled handled) {
        link.acknowledge(message);
        (handled.repeated() ? counters.repeated : counters.handled).incrementAndGet();
        return;
      }
      if (result instanceof Result.Outage outage) {
        if (databaseDown.failures() == 0) {
          log.warn(
              "The database, or what a handler needs, is out of reach ({}). The message in hand waits and nothing more of queue {} is handled; no attempt is used up.",
              Failures.text(outage.cause()),
              source.queue());
        }
        pause(databaseDown.next());
      } else {
        attempts++;
        counters.failed.incrementAndGet();
        Throwable cause = cause(result);
        if (result instanceof Result.Unusable || attempts >= source.settings().attempts()) {
          giveUp(link, message, attempts, cause);
          return;
        }
        log.warn(
            "Attempt {} to handle message {} of queue {} failed. Nothing of it is left; it is tried again.",
            attempts,
            message.getProperties().getMessageId(),
            source.queue(),
            cause);
        pause(failures.next());
      }
      if (ends) {
        // Closing the channel gives the message back.
        return;
      }
      link.check();
    }
  }

  private static Throwable cause(Result result) {
    return result instanceof Result.Unusable unusable
        ? unusable.cause()
        : ((Result.Failed) result).cause();
  }

  private Result bring(Delivery message) {
    Incoming incoming;
    try {
      incoming = incoming(message);
    } catch (InvalidMessage e) {
      return new Result.Unusable(e);
    }
    return reception.bring(
        incoming,
        tx -> {
          handler.handle(tx, message);
          return Reply.NONE;
        });
  }

  private static Incoming incoming(Delivery message) {
    String id = message.getProperties().getMessageId();
    if (id == null) {
      throw new InvalidMessage(
          "The message has no message-id, so a redelivery of it could not be told from another message. It was not handled. Let its sender set the property.");
    }
    Incoming incoming = Incoming.of(id).saying(message.getBody());
    Map<String, Object> headers = message.getProperties().getHeaders();
    Object header = headers == null ? null : headers.get(Encoder.OPERATION);
    String operation = header == null ? "" : header.toString();
    return operation.isEmpty() || operation.length() > LONGEST_OPERATION_ID
        ? incoming
        : incoming.ofOperation(operation);
  }

  /** Those that ended with a process or a connection; quorum queues count them. */
  private static int deliveriesBefore(Delivery message) {
    Map<String, Object> headers = message.getProperties().getHeaders();
    return headers != null && headers.get("x-delivery-count") instanceof Number count
        ? count.intValue()
        : 0;
  }

  private void giveUp(RabbitMqLink link, Delivery message, int attempts, Throwable cause)
      throws IOException, InterruptedException {
    RabbitMqRoute deadLetter = source.settings().deadLetter();
    if (deadLetter == null) {
      link.reject(message);
    } else {
      link.moveTo(deadLetter, message, attempts, Failures.text(cause));
    }
    counters.deadLettered.incrementAndGet();
    log.error(
        "Message {} of queue {} could not be handled in {} attempt(s). It is {}.",
        message.getProperties().getMessageId(),
        source.queue(),
        attempts,
        deadLetter == null
            ? "rejected: with the queue's dead-letter exchange, if it has one"
            : "in " + deadLetter,
        cause);
  }

  private void pause(Duration wait) throws InterruptedException {
    if (closing.await(wait)) {
      // For whoever waits next.
      closing.ring();
    }
  }
}
