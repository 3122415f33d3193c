package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.boundary.Capability.ORDER_PER_KEY;
import static dev.holdfast.guarantee.Sheet.acknowledgment;
import static dev.holdfast.guarantee.Sheet.assumptions;
import static dev.holdfast.guarantee.Sheet.both;
import static dev.holdfast.guarantee.Sheet.requireTransactions;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import java.util.List;

/** A consumer that keeps its offsets beside the effects of what it reads. */
final class ConsumerGuarantee {
  private ConsumerGuarantee() {}

  static Guarantee of(Boundary log, Boundary store) {
    requireTransactions(store);
    List<Assumption> written = assumptions(store, LOCAL_TRANSACTION);
    List<Assumption> kept = both(written, acknowledgment(log));
    Sheet sheet = new Sheet(store);
    sheet.promise(
        "consumer.atomicity",
        Aspect.ATOMICITY,
        "The offset behind a record, what its handler changes and publishes, and what is parked are one commit, or none of it is.",
        written);
    sheet.promise(
        "consumer.once",
        Aspect.DELIVERY,
        "Each record has its effects once, whatever crashes and whichever answer is lost, or is parked and listed as such.",
        kept);
    sheet.promise(
        "consumer.zombie",
        Aspect.RECOVERY,
        "A member of the group that has lost a partition, and does not know it, commits nothing of it that another has committed.",
        written);
    sheet.promise(
        "consumer.order",
        Aspect.ORDER,
        "The records of a key are handled in the order of the log, those that were parked included.",
        both(written, assumptions(log, ORDER_PER_KEY)));
    sheet.promise(
        "consumer.parking",
        Aspect.RECOVERY,
        "A record that cannot be handled is parked together with the later ones of its key, other keys go on, and a person can have it handled again in order, or skipped; an outage parks nothing.",
        written);
    sheet.promise(
        "consumer.no-reset",
        Aspect.DELIVERY,
        "Where an offset makes no sense any more (the topic was made again, the log truncated, or records deleted before they were handled) the partition stops and says so; nothing is skipped or repeated before a person decides.",
        kept);
    sheet.promise(
        "consumer.ids",
        Aspect.DELIVERY,
        "Where ids are asked for, two records with one id within the retention have their effects once, and a record with another content under that id is parked.",
        written);
    return new Guarantee(
        "consumer from " + log.kind() + " to " + store.kind(),
        List.of(log, store),
        Resolution.INBOX,
        "one local transaction over the log and the effects",
        List.of("Simultaneity: the effects follow when the consumer has come to the record."),
        sheet.clauses(),
        List.of(
            "What the producer sends twice without an id, or outside of transactions that it aborts, is two records.",
            "Effects of a handler outside of its transaction may happen several times.",
            "A failover to a standby of the database that lacks commits takes back effects and their offsets together: the records are handled again.",
            "Setting a consumer back has records handled again, unless their ids are remembered."));
  }
}
