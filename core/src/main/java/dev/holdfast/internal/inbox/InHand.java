package dev.holdfast.internal.inbox;

import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.Incoming;
import org.jspecify.annotations.Nullable;

/**
 * A message that was received, and where it belongs if it has to be parked.
 *
 * @param slot {@code null} where nothing is parked, or when it cannot be told
 * @param homeless why it cannot be told
 */
record InHand<M>(M message, @Nullable Slot slot, @Nullable InvalidMessage homeless) {

  static <M> InHand<M> of(@Nullable BrokerParking<M> parking, M message) throws Exception {
    try {
      return new InHand<>(message, parking == null ? null : parking.slot(message), null);
    } catch (InvalidMessage e) {
      return new InHand<>(message, null, e);
    }
  }

  /**
   * @throws InvalidMessage when it cannot be told from others, or its place among them cannot
   */
  Incoming incoming(Broker<M> broker) throws Exception {
    if (homeless != null) {
      throw homeless;
    }
    if (slot == null) {
      return broker.incoming(message);
    }
    if (slot.incoming() == null) {
      throw slot.refused();
    }
    return slot.incoming();
  }
}
