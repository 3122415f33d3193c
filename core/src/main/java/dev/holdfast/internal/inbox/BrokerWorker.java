package dev.holdfast.internal.inbox;

import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.inbox.Broker.Fate;
import dev.holdfast.internal.inbox.Reception.Result;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives one message at a time, has it handled, and tells the broker when that is committed. The
 * database's commit always comes first: whatever dies in between leaves a message that comes again
 * and is known.
 */
final class BrokerWorker<M> implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(BrokerListener.class);

  /** How long {@link BrokerListener#close} may go unnoticed. */
  private static final long POLL_MS = 200;

  private static final Duration FIRST_WAIT = Duration.ofMillis(100);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

  private final Broker<M> broker;
  private final Reception reception;
  private final BrokerListener.Counters counters;
  private final Doorbell closing = new Doorbell();
  private final Backoff brokerDown = backoff();
  private final Backoff databaseDown = backoff();
  private final Backoff failures = backoff();
  private volatile boolean ends;

  BrokerWorker(Broker<M> broker, Reception reception, BrokerListener.Counters counters) {
    this.broker = broker;
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
        if (!ends) {
          pause(brokerDown.next());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void receiveWhileConnected() throws InterruptedException {
    boolean connected = false;
    try (Broker.Link<M> link = broker.connect()) {
      connected = true;
      counters.connected.incrementAndGet();
      log.debug("Receiving from {}", broker.source());
      while (!ends) {
        M message = link.receive(POLL_MS);
        // It answers, be it that there is nothing.
        brokerDown.reset();
        if (message != null) {
          take(link, message);
        }
      }
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      if (!ends) {
        log.warn(
            "{} cannot be received from ({}). What was not acknowledged comes again; it is tried again.",
            broker.source(),
            text(e));
        log.debug("The broker's error", e);
      }
    } finally {
      if (connected) {
        counters.connected.decrementAndGet();
      }
    }
  }

  private void take(Broker.Link<M> link, M message) throws Exception {
    int attempts = broker.attemptsBefore(message);
    while (true) {
      Result result = bring(message);
      if (result instanceof Result.Handled handled) {
        link.acknowledge(message);
        (handled.repeated() ? counters.repeated : counters.handled).incrementAndGet();
        databaseDown.reset();
        failures.reset();
        return;
      }
      if (result instanceof Result.Outage outage) {
        if (databaseDown.failures() == 0) {
          log.warn(
              "The database, or what a handler needs, is out of reach ({}). The message in hand waits and nothing more of {} is handled; no attempt is used up.",
              text(outage.cause()),
              broker.source());
        }
        pause(databaseDown.next());
      } else {
        databaseDown.reset();
        attempts++;
        if (!isStillInHand(link, message, attempts, result)) {
          return;
        }
      }
      if (ends) {
        // Closing the link gives the message back.
        return;
      }
      link.check();
    }
  }

  private Result bring(M message) throws Exception {
    Incoming incoming;
    try {
      incoming = broker.incoming(message);
    } catch (InvalidMessage e) {
      return new Result.Unusable(e);
    }
    return reception.bring(
        incoming,
        tx -> {
          broker.handle(tx, message);
          return Reply.NONE;
        });
  }

  private boolean isStillInHand(Broker.Link<M> link, M message, int attempts, Result result)
      throws Exception {
    counters.failed.incrementAndGet();
    boolean hopeless = result instanceof Result.Unusable;
    Throwable cause =
        result instanceof Result.Unusable unusable
            ? unusable.cause()
            : ((Result.Failed) result).cause();
    // Before it may be changed for the place to which it is moved.
    String id = broker.id(message);
    Fate fate = link.failed(message, attempts, hopeless, cause);
    if (fate instanceof Fate.GivenUp up) {
      counters.givenUp.incrementAndGet();
      failures.reset();
      log.error(
          "Message {} of {} could not be handled in {} attempt(s). It is {}.",
          id,
          broker.source(),
          attempts,
          up.where(),
          cause);
      return false;
    }
    boolean kept = fate instanceof Fate.Kept;
    log.warn(
        "Attempt {} to handle message {} of {} failed. Nothing of it is left; {}.",
        attempts,
        id,
        broker.source(),
        kept ? "it is tried again" : "it is the broker's again",
        cause);
    pause(failures.next());
    return kept;
  }

  /** What an error says; some say it in their cause alone. */
  private static @Nullable String text(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e.getMessage() != null && !e.getMessage().isEmpty()) {
        return e.getMessage();
      }
    }
    return error.getClass().getSimpleName();
  }

  private void pause(Duration wait) throws InterruptedException {
    if (closing.await(wait)) {
      // For whoever waits next.
      closing.ring();
    }
  }
}
