package dev.holdfast.internal.inbox;

import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.store.ConsumerParking.Held;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Parks the message that a worker has in hand, and acknowledges it after that. Used by one thread.
 */
final class Parker<M> {
  private static final Logger log = LoggerFactory.getLogger(BrokerListener.class);

  private final Broker<M> broker;
  private final BrokerParking<M> parking;
  private final BrokerListener.Counters counters;
  private final Patience patience;

  Parker(
      Broker<M> broker,
      BrokerParking<M> parking,
      BrokerListener.Counters counters,
      Patience patience) {
    this.broker = broker;
    this.parking = parking;
    this.counters = counters;
    this.patience = patience;
  }

  /**
   * Parks it, for as long as that takes.
   *
   * @param reason {@code null} for one that comes behind others
   * @return false when it need not be parked any more, or the listener ends
   * @throws InvalidMessage when it cannot be kept
   */
  boolean park(Broker.Link<M> link, M message, Slot slot, @Nullable Throwable reason)
      throws Exception {
    boolean full = false;
    try {
      while (!patience.ends()) {
        Held held = once(message, slot, reason);
        if (held == Held.FREE) {
          return false;
        }
        if (held == Held.NOW || held == Held.BEFORE) {
          link.acknowledge(message);
          (held == Held.NOW ? counters.parked : counters.repeated).incrementAndGet();
          patience.next();
          tell(held, message, slot, reason);
          return true;
        }
        if (held == Held.FULL) {
          if (!full) {
            full = true;
            counters.full.incrementAndGet();
            tellFull();
          }
          patience.waitAfterFailure();
        }
        link.check();
      }
      return false;
    } finally {
      if (full) {
        counters.full.decrementAndGet();
      }
    }
  }

  /** {@code null} when the database could not, which was waited for. */
  private @Nullable Held once(M message, Slot slot, @Nullable Throwable reason) throws Exception {
    try {
      Held held = parking.park(message, slot, reason);
      patience.databaseAnswers();
      return held;
    } catch (InvalidMessage e) {
      throw e;
    } catch (HoldfastException e) {
      // Whether it is parked or not: parked again it changes nothing.
      patience.waitForDatabase(e);
      return null;
    }
  }

  private void tell(Held held, M message, Slot slot, @Nullable Throwable reason) throws Exception {
    if (held == Held.NOW && reason != null) {
      log.error(
          "Message {} of {} could not be handled. It is parked in the database as {}, with the later ones of its key.",
          broker.id(message),
          broker.source(),
          slot.lane(),
          reason);
    } else {
      log.debug("A message of {} is parked as {} already", broker.source(), slot.lane());
    }
  }

  private void tellFull() {
    log.error(
        "{} message(s) of the consumer {} are parked, which is the bound, and one more of {} has to be. It waits in hand, and what follows it on this thread. Repair the handler, and release or skip what is parked: holdfast consumer list {}",
        parking.maxParked(),
        parking.consumer(),
        broker.source(),
        parking.consumer());
  }
}
