package dev.holdfast.outbox.store;

import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Messages held back, with the later ones of their lane, so that order survives.
 *
 * <p>A lane is parked from a position on. A replay is ordered by a control row in the outbox, drawn
 * under the key's lock: everything of the lane before it has been parked when the leader reaches
 * it, everything after it is sent behind what was parked.
 */
public interface ParkingStore {

  /** The positions from which on the given lanes are parked; only parked ones are in the map. */
  Map<String, Long> parkedFrom(String channel, Collection<String> lanes);

  /** Whether any lane of the channel is parked. */
  boolean anyParked(String channel);

  /**
   * Parks lanes and messages, in the name of the leader, in one transaction. Lanes that are parked
   * already and messages that are there already are left as they are.
   *
   * @param reasons the lanes that are newly parked, with the reason of each
   * @param from the position from which on each of them is parked
   * @return false when the lease has been lost; nothing is then written
   */
  boolean park(
      Lease lease,
      String channel,
      Map<String, String> reasons,
      Map<String, Long> from,
      List<OutboxRecord> messages);

  /**
   * What a control row at this position is to send: the lane's parked messages after {@code
   * afterPosition} in order, without those skipped. Empty when the row has been superseded.
   */
  List<OutboxRecord> releasable(
      String channel, String lane, long controlPosition, long afterPosition, int limit);

  /**
   * During a replay a parked message was refused again: the lane stays parked from it on, and the
   * replay ends before it.
   */
  boolean parkAgain(
      Lease lease,
      String channel,
      String lane,
      long controlPosition,
      long fromPosition,
      String reason);

  /**
   * The target has durably taken what a control row released: deletes it, in the name of the
   * leader. Idempotent.
   */
  boolean finishRelease(Lease lease, String channel, String lane, long controlPosition);

  /**
   * Does the same for every control row that the progress has passed, after a takeover.
   *
   * @return false when the lease has been lost
   */
  boolean finishReleasesBefore(Lease lease, String channel, Cursor progress);

  // Operators' side: each in a transaction of its own, written to the audit trail.

  List<ParkedMessage> list(String channel, int limit);

  /** Orders the key to be parked from its next message on. */
  void orderPark(String channel, String lane, String actor, String reason);

  /**
   * Orders a replay of a parked lane.
   *
   * @throws dev.holdfast.HoldfastException when the lane is not parked, or its replay is ordered
   *     already
   */
  void orderUnpark(String channel, String lane, String actor);

  /**
   * Marks a parked message as not to be sent. It stays readable.
   *
   * @throws dev.holdfast.HoldfastException when no such message is parked
   */
  void skip(String channel, long position, String actor, String reason);
}
