package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.DEDUPLICATION;
import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.boundary.Capability.ORDER_PER_KEY;
import static dev.holdfast.boundary.Capability.PROGRESS_MARK;
import static dev.holdfast.guarantee.Sheet.acknowledgment;
import static dev.holdfast.guarantee.Sheet.assumptions;
import static dev.holdfast.guarantee.Sheet.both;
import static dev.holdfast.guarantee.Sheet.has;
import static dev.holdfast.guarantee.Sheet.requireTransactions;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import java.util.ArrayList;
import java.util.List;

/** A channel that publishes an event log: the event is the record. */
final class EventChannelGuarantee {
  private EventChannelGuarantee() {}

  static Guarantee of(Boundary store, Boundary target) {
    requireTransactions(store);
    List<Assumption> written = assumptions(store, LOCAL_TRANSACTION);
    List<Assumption> kept = both(written, acknowledgment(target));
    Sheet sheet = new Sheet(target);
    sheet.promise(
        "events.recorded",
        Aspect.ATOMICITY,
        "That an event is in the log is that it will be published, and no message is there of an event that is not.",
        both(kept, acknowledgment(store)));
    delivered(sheet, target, kept);
    if (has(target, ORDER_PER_KEY)) {
      sheet.promise(
          "events.order",
          Aspect.ORDER,
          "The events of a stream come, for the first time each, in their order, those that were parked included.",
          both(kept, assumptions(target, ORDER_PER_KEY)));
    }
    sheet.promise(
        "events.takeover",
        Aspect.RECOVERY,
        "When a process dies or is closed, another that has the channel goes on with it, within the lease (10 s unless set).",
        written);
    sheet.promise(
        "events.parked",
        Aspect.RECOVERY,
        "An event that the target refuses is parked with the later ones of its stream; others go on, and a replay sends what was parked in order. While the target is out of reach nothing is parked.",
        written);
    List<String> risks = new ArrayList<>();
    if (has(target, PROGRESS_MARK)) {
      sheet.promise(
          "events.restored",
          Aspect.RECOVERY,
          "Where the database was restored to an earlier state, nothing is published as if it followed what the target has: the channel says so, and waits for a person.",
          both(kept, assumptions(target, PROGRESS_MARK)));
    } else {
      risks.add(
          "%s does not tell a clone of the database, or a backup that was restored, from the original: each publishes what it holds."
              .formatted(target.kind()));
    }
    risks.add(
        "What a receiver does with a message, and does again after a crash of its own, is not part of this; the event's id tells repeats apart.");
    risks.add("A replay that is cut off by a crash sends some of it again.");
    return new Guarantee(
        "events from " + store.kind() + " to " + target.kind(),
        List.of(store, target),
        Resolution.EVENT_SOURCING,
        "one local transaction over both boundaries: both effects at once, or neither",
        List.of(
            "Simultaneity: the event is there first, and its message follows. How soon has no bound.",
            "Isolation: in between, a reader of both sees the one and not the other."),
        sheet.clauses(),
        risks);
  }

  private static void delivered(Sheet sheet, Boundary target, List<Assumption> kept) {
    if (has(target, PROGRESS_MARK)) {
      sheet.promise(
          "events.once",
          Aspect.DELIVERY,
          "A message is there once: the channel's progress is committed with it.",
          both(kept, assumptions(target, PROGRESS_MARK)));
      return;
    }
    sheet.promise(
        "events.repeats",
        Aspect.DELIVERY,
        "After a crash, a takeover or a lost acknowledgment, what was sent since the checkpoint was moved comes again, under the same ids.",
        kept);
    if (has(target, DEDUPLICATION)) {
      sheet.promise(
          "events.deduplicated",
          Aspect.DELIVERY,
          "A repeat that comes within %s of the first has no effect."
              .formatted(Times.of(target.window(DEDUPLICATION))),
          both(kept, assumptions(target, DEDUPLICATION)));
    }
  }
}
