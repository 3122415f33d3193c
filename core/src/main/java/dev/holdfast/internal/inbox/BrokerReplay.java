package dev.holdfast.internal.inbox;

import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import dev.holdfast.inbox.TryAgainLater;
import dev.holdfast.inbox.store.ConsumerParking.Parked;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.inbox.Reception.Result;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles again what is parked, where somebody has released it: of each key in order, one at a
 * time, a message's effects in one commit with its id and its removal. Every process has one of
 * these; whoever comes second finds the message gone.
 */
final class BrokerReplay<M> implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(BrokerListener.class);

  private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

  /** Of one lane, before it is the others' turn. */
  private static final int IN_A_ROW = 100;

  private final Broker<M> broker;
  private final BrokerParking<M> parking;
  private final Reception reception;
  private final BrokerListener.Counters counters;
  private final Doorbell closing = new Doorbell();
  private final Backoff down =
      new Backoff(BETWEEN_LOOKS, LONGEST_WAIT, ThreadLocalRandom.current());
  private volatile boolean ends;

  /** Why a lane of the last look waits, if one does. */
  private @Nullable Throwable waits;

  BrokerReplay(
      Broker<M> broker,
      BrokerParking<M> parking,
      Reception reception,
      BrokerListener.Counters counters) {
    this.broker = broker;
    this.parking = parking;
    this.reception = reception;
    this.counters = counters;
  }

  void end() {
    ends = true;
    closing.ring();
  }

  @Override
  public void run() {
    while (!ends) {
      try {
        closing.await(lookAndWait());
      } catch (InterruptedException e) {
        // Whoever it was: a thread that has ended would leave what is released waiting.
        log.debug(
            "The replay of {} was interrupted, and goes on unless it is closed", broker.source());
      }
    }
  }

  private Duration lookAndWait() throws InterruptedException {
    try {
      look();
      down.reset();
      return BETWEEN_LOOKS;
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      if (!ends && down.failures() == 0) {
        log.warn(
            "What is parked of {} cannot be handled again now ({}). It is tried again; nothing of it is lost.",
            broker.source(),
            Patience.text(e));
      }
      log.debug("Why what is parked waits", e);
      return down.next();
    } catch (Error e) {
      log.error("What is parked of {} cannot be handled again now", broker.source(), e);
      return down.next();
    }
  }

  private void look() throws Exception {
    List<String> lanes = parking.look() ? List.of() : parking.releasing();
    if (lanes.isEmpty()) {
      return;
    }
    waits = null;
    try (Keeper.Rebuilding<M> source = parking.open()) {
      for (String lane : lanes) {
        replay(source, lane);
      }
    }
    if (waits != null) {
      throw outOfReach(waits);
    }
  }

  private void replay(Keeper.Rebuilding<M> source, String lane) throws Exception {
    for (int i = 0; i < IN_A_ROW && !ends && !parking.look(); i++) {
      Parked first = parking.first(lane).orElse(null);
      if (first == null) {
        if (parking.settle(lane, null)) {
          log.info("Of {}, {} is parked no longer.", broker.source(), lane);
        }
        return;
      }
      if (!isDone(source, first)) {
        return;
      }
    }
  }

  private boolean isDone(Keeper.Rebuilding<M> source, Parked parked) throws Exception {
    M message;
    Slot slot;
    try {
      message =
          source.rebuild(new Keeper.Kept(parked.createdMs(), parked.value(), parked.headers()));
      slot = parking.slot(message);
    } catch (InvalidMessage e) {
      return failed(parked, e);
    }
    if (slot.incoming() == null) {
      return failed(parked, slot.refused());
    }
    Result result = bring(message, slot.incoming(), parked);
    if (result instanceof Result.Handled handled) {
      if (handled.repeated()) {
        // Before it was parked, or by another process just now, which has removed it.
        parking.settle(parked.lane(), parked);
      } else {
        counters.replayed.incrementAndGet();
      }
      return true;
    }
    if (result instanceof Result.Outage outage) {
      if (outage.cause() instanceof TryAgainLater) {
        // What this lane's message needs, others may not.
        waits = outage.cause();
        return false;
      }
      throw outOfReach(outage.cause());
    }
    Throwable cause = ((Result.NotHandled) result).cause();
    return !(cause instanceof BrokerParking.Overtaken) && failed(parked, cause);
  }

  private static IllegalStateException outOfReach(Throwable cause) {
    return new IllegalStateException(
        "the database, or what a handler needs, is out of reach: " + cause.getMessage(), cause);
  }

  private Result bring(M message, Incoming incoming, Parked parked) {
    Result result =
        reception.bring(
            incoming,
            tx -> {
              parking.take(tx, parked);
              broker.handle(tx, message);
              return Reply.NONE;
            });
    if (!ends && Thread.interrupted()) {
      log.debug("A handler of messages of {} has left its thread interrupted", broker.source());
    }
    return result;
  }

  /** False, since what comes behind it has to wait. */
  private boolean failed(Parked parked, Throwable cause) {
    if (ends) {
      // It may have failed for being interrupted; whoever comes next finds it released.
      log.debug("{} of {} is left to others", parked.lane(), broker.source(), cause);
      return false;
    }
    counters.failed.incrementAndGet();
    parking.keep(parked, cause);
    log.warn(
        "Of {}, {} stays parked: message {} could not be handled. Nothing of it is left.",
        broker.source(),
        parked.lane(),
        parked.offset(),
        cause);
    return false;
  }
}
