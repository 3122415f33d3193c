package dev.holdfast.internal.inbox;

import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import dev.holdfast.internal.inbox.Broker.Fate;
import dev.holdfast.internal.inbox.Reception.Result;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives one message at a time, has it handled or parked, and tells the broker when that is
 * committed. The database's commit always comes first: whatever dies in between leaves a message
 * that comes again and is known.
 */
final class BrokerWorker<M> implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(BrokerListener.class);

  /** How long {@link BrokerListener#close} may go unnoticed. */
  private static final Duration POLL = Duration.ofMillis(200);

  private final Broker<M> broker;
  private final @Nullable BrokerParking<M> parking;
  private final @Nullable Parker<M> parker;
  private final Reception reception;
  private final BrokerListener.Counters counters;
  private final Patience patience;

  BrokerWorker(
      Broker<M> broker,
      @Nullable BrokerParking<M> parking,
      Reception reception,
      BrokerListener.Counters counters) {
    this.broker = broker;
    this.parking = parking;
    this.reception = reception;
    this.counters = counters;
    this.patience = new Patience(broker.source());
    this.parker = parking == null ? null : new Parker<>(broker, parking, counters, patience);
  }

  /** Lets it end when it has finished what it is handling. */
  void end() {
    patience.end();
  }

  @Override
  public void run() {
    try {
      while (!patience.ends()) {
        receiveWhileConnected();
        if (!patience.ends()) {
          patience.waitForBroker();
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
      while (!patience.ends()) {
        receive(link);
      }
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      if (!patience.ends()) {
        log.warn(
            "{} cannot be received from ({}). What was not acknowledged comes again; it is tried again.",
            broker.source(),
            Patience.text(e));
        log.debug("The broker's error", e);
      }
    } finally {
      if (connected) {
        counters.connected.decrementAndGet();
      }
    }
  }

  private void receive(Broker.Link<M> link) throws Exception {
    if (parking != null && parking.isPaused()) {
      patience.pause(POLL);
      link.check();
      return;
    }
    M message = link.receive(POLL.toMillis());
    // It answers, be it that there is nothing.
    patience.brokerAnswers();
    if (message != null) {
      take(link, message);
    }
  }

  private void take(Broker.Link<M> link, M message) throws Exception {
    int attempts = broker.attemptsBefore(message);
    InHand<M> hand = InHand.of(parking, message);
    while (true) {
      Result result = bring(hand);
      if (result instanceof Result.Handled handled) {
        link.acknowledge(message);
        (handled.repeated() ? counters.repeated : counters.handled).incrementAndGet();
        patience.databaseAnswers();
        patience.next();
        return;
      }
      if (result instanceof Result.Outage outage) {
        patience.waitForDatabase(outage.cause());
      } else {
        patience.databaseAnswers();
        boolean behind = cause(result) instanceof BrokerParking.Behind;
        attempts += behind ? 0 : 1;
        if (!isStillInHand(link, hand, attempts, behind, result)) {
          return;
        }
      }
      if (patience.ends()) {
        // Closing the link gives the message back.
        return;
      }
      link.check();
    }
  }

  private Result bring(InHand<M> hand) throws Exception {
    Incoming incoming;
    try {
      incoming = hand.incoming(broker);
    } catch (InvalidMessage e) {
      return new Result.Unusable(e);
    }
    return reception.bring(
        incoming,
        tx -> {
          if (parking != null && hand.slot() != null) {
            parking.pass(tx, hand.slot());
          }
          broker.handle(tx, hand.message());
          return Reply.NONE;
        });
  }

  private static Throwable cause(Result result) {
    return result instanceof Result.Unusable unusable
        ? unusable.cause()
        : ((Result.Failed) result).cause();
  }

  private boolean isStillInHand(
      Broker.Link<M> link, InHand<M> hand, int attempts, boolean behind, Result result)
      throws Exception {
    boolean hopeless = result instanceof Result.Unusable;
    Throwable cause = cause(result);
    if (!behind) {
      counters.failed.incrementAndGet();
    }
    if (parking == null || parker == null || hand.slot() == null) {
      return isStillInHand(link, hand.message(), attempts, hopeless, cause);
    }
    if (!behind && !hopeless && attempts < parking.attempts()) {
      // Given back, it might come behind a later one of its key.
      again(hand.message(), attempts, "it is tried again", cause);
      return true;
    }
    try {
      return !parker.park(link, hand.message(), hand.slot(), behind ? null : cause);
    } catch (InvalidMessage e) {
      return isStillInHand(link, hand.message(), attempts, true, e);
    }
  }

  private boolean isStillInHand(
      Broker.Link<M> link, M message, int attempts, boolean hopeless, Throwable cause)
      throws Exception {
    // Before it may be changed for the place to which it is moved.
    String id = broker.id(message);
    Fate fate = link.failed(message, attempts, hopeless, cause);
    if (fate instanceof Fate.GivenUp up) {
      counters.givenUp.incrementAndGet();
      patience.next();
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
    again(message, attempts, kept ? "it is tried again" : "it is the broker's again", cause);
    return kept;
  }

  private void again(M message, int attempts, String what, Throwable cause) throws Exception {
    log.warn(
        "Attempt {} to handle message {} of {} failed. Nothing of it is left; {}.",
        attempts,
        broker.id(message),
        broker.source(),
        what,
        cause);
    patience.waitAfterFailure();
  }
}
