package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.guarantee.Sheet.acknowledgment;
import static dev.holdfast.guarantee.Sheet.assumptions;
import static dev.holdfast.guarantee.Sheet.both;
import static dev.holdfast.guarantee.Sheet.has;
import static dev.holdfast.guarantee.Sheet.requireTransactions;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import java.util.ArrayList;
import java.util.List;

/** A listener that acknowledges to its queue what an inbox has committed. */
final class ListenerGuarantee {
  private ListenerGuarantee() {}

  static Guarantee of(Boundary queue, Boundary store) {
    requireTransactions(store);
    List<Assumption> written = assumptions(store, LOCAL_TRANSACTION);
    List<Assumption> told = both(written, acknowledgment(store));
    Sheet sheet = new Sheet(store);
    sheet.promise(
        "listener.atomicity",
        Aspect.ATOMICITY,
        "A message's id and what its handler changes and publishes are one commit, or none of it is.",
        written);
    sheet.promise(
        "listener.once",
        Aspect.DELIVERY,
        "A message is acknowledged after that commit. It has its effects once, whatever crashes and whichever answer is lost, for as long as its id is remembered; or it is given up.",
        both(told, acknowledgment(queue)));
    sheet.promise(
        "listener.outage",
        Aspect.RECOVERY,
        "While the database or the broker is out of reach, or the handler asks to be tried again later, messages wait; that uses up no attempts, gives nothing up, and ends by itself.",
        List.of());
    sheet.at(queue);
    sheet.promise(
        "listener.dead-letter",
        Aspect.RECOVERY,
        "A message whose handler fails as often as the settings allow, and at once one without an id or under the id of another, is given up: it goes to where the settings say, with the reason, and others go on; it is not taken from its queue before it is there.",
        acknowledgment(queue));
    sheet.at(store);
    sheet.promise(
        "listener.parked",
        Aspect.ORDER,
        "Where the settings say so, a message that is given up is parked in the database before it is acknowledged, and once. Those of its key that come after that are parked behind it and not handled, by whichever thread and process of the consumer. When an operator has released them they are handled in that order, one at a time, each in one commit with its id and its removal; one that fails again stays at their head.",
        told);
    InboxGuarantee.remembered(sheet, store);
    return new Guarantee(
        "listener from " + queue.kind() + " to " + store.kind(),
        List.of(queue, store),
        Resolution.INBOX,
        "one local transaction over the queue and the effects",
        List.of(
            "Simultaneity: the effects follow when the listener has come to the message, and the queue learns of them after the commit.",
            "Order: several threads and processes take messages side by side, and behind one that is given up, and not parked, the later ones of its key go on."),
        sheet.clauses(),
        risks(queue));
  }

  private static List<String> risks(Boundary queue) {
    List<String> risks = new ArrayList<>();
    if (!has(queue, LOCAL_TRANSACTION)) {
      risks.add(
          "%s does not move a message from one queue to another in one commit: a crash while one is given up may leave it in both."
              .formatted(queue.kind()));
    }
    risks.add(
        "Where the settings name no place for what is given up, the broker's policy decides, and it may be to drop it.");
    risks.add(
        "A message without an id that is parked comes again when its acknowledgment is lost, and is parked a second time; one that an operator has skipped meanwhile is taken for a new one.");
    risks.add(
        "A message that cannot be parked, since it is too large or its body is a Java object, goes where the settings send what is given up, and those of its key go on.");
    risks.add(
        "A message that is sent again under another id, or comes again after its id is forgotten, is another message.");
    risks.add(
        "A failover to a standby of the database that lacks commits takes back effects whose messages are acknowledged already.");
    risks.addAll(InboxGuarantee.RISKS);
    return risks;
  }
}
