package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.guarantee.Sheet.acknowledgment;
import static dev.holdfast.guarantee.Sheet.assumptions;
import static dev.holdfast.guarantee.Sheet.both;
import static dev.holdfast.guarantee.Sheet.requireTransactions;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import java.util.ArrayList;
import java.util.List;

/** A receiver of requests that carry an idempotency key. */
final class ReceiverGuarantee {
  private ReceiverGuarantee() {}

  static Guarantee of(Boundary clients, Boundary store) {
    requireTransactions(store);
    List<Assumption> written = assumptions(store, LOCAL_TRANSACTION);
    List<Assumption> told = both(written, acknowledgment(store));
    Sheet sheet = new Sheet(store);
    sheet.promise(
        "receiver.atomicity",
        Aspect.ATOMICITY,
        "A request's key, what the application changes and publishes in the transaction that it gets, and the response are one commit, or none of it is; an exception, a response of 500 or more, 408, 425, 429, and one over its bound leave nothing, and the key is as new.",
        written);
    sheet.promise(
        "receiver.once",
        Aspect.DELIVERY,
        "However often a request comes under its key within the retention, and to however many processes at once, it is executed once.",
        both(told, acknowledgment(clients)));
    sheet.promise(
        "receiver.answer",
        Aspect.ANSWER,
        "When it comes again it gets the stored response of the first time. When the database's answer to the commit is lost it is asked about, and where that cannot be done the answer is 503: it is safe to repeat under the same key.",
        told);
    sheet.promise(
        "receiver.busy",
        Aspect.ANSWER,
        "While a request is executed, in this process or another, one that comes under its key is answered 409 at once, and waits for no connection.",
        List.of());
    sheet.promise(
        "receiver.refusal",
        Aspect.ANSWER,
        "Another request under a key that was used is refused with 422, one without a key that can be read with 400, one over the bound with 413; nothing is executed.",
        written);
    sheet.promise(
        "receiver.scope",
        Aspect.VISIBILITY,
        "A key counts for its principal, method and path: under the key of another it is another request, and nobody gets another's response.",
        acknowledgment(clients));
    InboxGuarantee.remembered(sheet, store);
    List<String> risks = new ArrayList<>();
    risks.add(
        "A client that takes a new key for a retry, or comes again after its key is forgotten, has it done again.");
    risks.addAll(InboxGuarantee.RISKS);
    return new Guarantee(
        "receiver from " + clients.kind() + " to " + store.kind(),
        List.of(clients, store),
        Resolution.INBOX,
        "one local transaction over the client and the effects",
        List.of(
            "Simultaneity: the client learns of it after the commit.",
            "Order: requests are executed as they come, several at once."),
        sheet.clauses(),
        risks);
  }
}
