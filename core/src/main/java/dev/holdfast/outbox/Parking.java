package dev.holdfast.outbox;

import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.ParkingStore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A leader's view of what is held back. Everything here is committed in the database before
 * progress moves past it. Only the leader parks lanes and ends their parking, so that it knows
 * without asking whether there are any. Used by the leader's thread alone.
 */
final class Parking {
  private final ParkingStore store;
  private final Lease lease;
  private final String channel;
  private boolean any;
  private long parked;

  Parking(ParkingStore store, Lease lease, String channel) {
    this.store = store;
    this.lease = lease;
    this.channel = channel;
    this.any = store.anyParked(channel);
  }

  /** Messages parked by this leader. */
  long parked() {
    return parked;
  }

  /** Parks what belongs to a parked lane, and returns the rest in order. */
  List<OutboxRecord> holdBack(List<OutboxRecord> records) throws TermEnded {
    if (!any || records.isEmpty()) {
      return records;
    }
    Set<String> lanes = new LinkedHashSet<>();
    for (OutboxRecord message : records) {
      lanes.add(message.lane());
    }
    Map<String, Long> from = store.parkedFrom(channel, lanes);
    if (from.isEmpty()) {
      return records;
    }
    List<OutboxRecord> held = new ArrayList<>();
    List<OutboxRecord> rest = new ArrayList<>(records.size());
    for (OutboxRecord message : records) {
      Long start = from.get(message.lane());
      (start != null && message.position() >= start ? held : rest).add(message);
    }
    if (!held.isEmpty()) {
      write(Map.of(), Map.of(), held);
    }
    return rest;
  }

  /**
   * Parks the refused messages, and with each the later ones of its lane.
   *
   * @return what remains to be sent
   */
  List<OutboxRecord> park(List<OutboxRecord> records, Delivery.Refused verdict) throws TermEnded {
    Map<String, String> reasons = new HashMap<>();
    Map<String, Long> from = new HashMap<>();
    List<OutboxRecord> held = new ArrayList<>();
    List<OutboxRecord> rest = new ArrayList<>(records.size());
    for (OutboxRecord message : records) {
      String lane = message.lane();
      String reason = verdict.refused().get(message.position());
      if (reason != null && reasons.putIfAbsent(lane, reason) == null) {
        from.put(lane, message.position());
      }
      if (from.containsKey(lane)) {
        held.add(message);
      } else if (!verdict.delivered().contains(message.position())) {
        rest.add(message);
      }
    }
    write(reasons, from, held);
    return rest;
  }

  /** Parks a lane by an operator's order, from a position on. */
  void parkFrom(String lane, long position, String reason) throws TermEnded {
    write(Map.of(lane, reason), Map.of(lane, position), List.of());
  }

  /** The next part of what a control row releases, in order. */
  List<OutboxRecord> releasable(OutboxRecord control, long after, int limit) {
    return store.releasable(channel, control.lane(), control.position(), after, limit);
  }

  /** A replayed message was refused again: its lane stays parked from there on. */
  void parkAgain(OutboxRecord control, long position, String reason) throws TermEnded {
    TermEnded.unless(
        store.parkAgain(lease, channel, control.lane(), control.position(), position, reason));
  }

  /** What a control row released is durably delivered, and its position passed. */
  void finishRelease(OutboxRecord control) throws TermEnded {
    TermEnded.unless(store.finishRelease(lease, channel, control.lane(), control.position()));
    any = store.anyParked(channel);
  }

  private void write(Map<String, String> reasons, Map<String, Long> from, List<OutboxRecord> held)
      throws TermEnded {
    TermEnded.unless(store.park(lease, channel, reasons, from, held));
    any = true;
    parked += held.size();
  }
}
