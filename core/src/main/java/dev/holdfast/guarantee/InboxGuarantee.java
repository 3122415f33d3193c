package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.guarantee.Sheet.acknowledgment;
import static dev.holdfast.guarantee.Sheet.assumptions;
import static dev.holdfast.guarantee.Sheet.both;
import static dev.holdfast.guarantee.Sheet.requireTransactions;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import java.util.List;

/** An inbox, whoever brings the messages. */
final class InboxGuarantee {
  /** What no inbox can do anything about, whatever is in front of it. */
  static final List<String> RISKS =
      List.of(
          "When the database's clock jumps ahead, ids are forgotten early.",
          "Effects of a handler outside of its transaction may happen several times.");

  private InboxGuarantee() {}

  static Guarantee of(Boundary store) {
    requireTransactions(store);
    List<Assumption> written = assumptions(store, LOCAL_TRANSACTION);
    List<Assumption> told = both(written, acknowledgment(store));
    Sheet sheet = new Sheet(store);
    sheet.promise(
        "inbox.atomicity",
        Aspect.ATOMICITY,
        "A message's id, what its handler changes and publishes, and its reply are one commit, or none of it is; a handler that throws leaves nothing, and the message is as new.",
        written);
    sheet.promise(
        "inbox.once",
        Aspect.DELIVERY,
        "However often a message comes within the retention, and however many bring it at once, its handler's effects happen once.",
        told);
    sheet.promise(
        "inbox.answer",
        Aspect.ANSWER,
        "When it comes again it is answered as the first time; when the reply to the commit is lost it is taken up again, and is either done or not.",
        told);
    sheet.promise(
        "inbox.fingerprint",
        Aspect.ANSWER,
        "Another message under the same id is refused, where both come with what they say.",
        written);
    remembered(sheet, store);
    return new Guarantee(
        "inbox at " + store.kind(),
        List.of(store),
        Resolution.INBOX,
        "one local transaction over the source and the effects",
        List.of(
            "Simultaneity: the source learns of it after the commit.",
            "Order: messages are handled as they are brought, several at once."),
        sheet.clauses(),
        List.of(
            "The source must bring a message until it is told, under the same id each time, and no longer than the id is remembered.",
            RISKS.get(0),
            "A message whose handler always throws comes again and again, unless whoever brings it parks it.",
            RISKS.get(1)));
  }

  /** What holds of every inbox alike: how long it remembers, and that nothing waits for ever. */
  static void remembered(Sheet sheet, Boundary store) {
    List<Assumption> written = assumptions(store, LOCAL_TRANSACTION);
    sheet.promise(
        "inbox.bounded",
        Aspect.DURABILITY,
        "An id is remembered for the longest retention of all consumers at least, by the database's clock. It is forgotten when the retention has passed twice, or as soon after that as no open transaction is in the way.",
        both(written, List.of(Guarantees.UPKEEP)));
    sheet.promise(
        "inbox.stuck",
        Aspect.RECOVERY,
        "A handler that leaves its transaction alone for longer than it may loses it, and whoever waits for its message goes on.",
        written);
  }
}
