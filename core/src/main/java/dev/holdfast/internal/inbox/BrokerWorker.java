package dev.holdfast.internal.inbox;

import dev.holdfast.HoldfastException;
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
    while (!patience.ends()) {
      try {
        receiveWhileConnected();
        if (!patience.ends()) {
          patience.waitForBroker();
        }
      } catch (InterruptedException e) {
        // Whoever it was: a thread that has ended would leave messages waiting, and nobody says so.
        log.debug(
            "Receiving from {} was interrupted, and goes on unless it is closed", broker.source());
      }
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
    } catch (Error e) {
      log.error("{} is left, and connected to again", broker.source(), e);
    } finally {
      if (connected) {
        counters.connected.decrementAndGet();
      }
    }
  }

  private void receive(Broker.Link<M> link) throws Exception {
    if (parking != null && isPaused(parking)) {
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

  /** Waits while it is, or while nobody can tell. */
  private boolean isPaused(BrokerParking<M> parking) throws InterruptedException {
    try {
      if (!parking.isPaused()) {
        return false;
      }
      patience.pause(POLL);
    } catch (HoldfastException e) {
      patience.waitForDatabase(e);
    }
    return true;
  }

  private void take(Broker.Link<M> link, M message) throws Exception {
    int attempts = broker.attemptsBefore(message);
    InHand<M> hand = InHand.of(parking, message);
    while (true) {
      Result result = bring(hand);
      if (!(result instanceof Result.NotHandled failure)) {
        link.acknowledge(message);
        boolean repeated = ((Result.Handled) result).repeated();
        (repeated ? counters.repeated : counters.handled).incrementAndGet();
        patience.databaseAnswers();
        patience.next();
        return;
      }
      if (patience.ends()) {
        // Closing the link gives it back. Its handler may have failed for being interrupted.
        log.debug("A message of {} is given back", broker.source(), failure.cause());
        return;
      }
      if (failure instanceof Result.Outage outage) {
        patience.waitForDatabase(outage.cause());
      } else {
        patience.databaseAnswers();
        boolean behind = failure.cause() instanceof BrokerParking.Behind;
        attempts += behind ? 0 : 1;
        if (!isStillInHand(link, hand, attempts, behind, failure)) {
          return;
        }
      }
      if (patience.ends()) {
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
    Result result =
        reception.bring(
            incoming,
            tx -> {
              if (parking != null && hand.slot() != null) {
                parking.pass(tx, hand.slot());
              }
              broker.handle(tx, hand.message());
              return Reply.NONE;
            });
    if (!patience.ends() && Thread.interrupted()) {
      // By the handler itself: the waits of this thread are not its.
      log.debug("A handler of messages of {} has left its thread interrupted", broker.source());
    }
    return result;
  }

  private boolean isStillInHand(
      Broker.Link<M> link, InHand<M> hand, int attempts, boolean behind, Result.NotHandled failure)
      throws Exception {
    boolean hopeless = failure instanceof Result.Unusable;
    Throwable cause = failure.cause();
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
