package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.guarantee.Sheet.acknowledgment;
import static dev.holdfast.guarantee.Sheet.assumptions;
import static dev.holdfast.guarantee.Sheet.both;
import static dev.holdfast.guarantee.Sheet.requireTransactions;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import java.util.List;

/** Reservations, and what else keeps sagas apart whose steps commit one by one. */
final class ReservationGuarantee {
  private ReservationGuarantee() {}

  static Guarantee of(Boundary store) {
    requireTransactions(store);
    List<Assumption> written = assumptions(store, LOCAL_TRANSACTION);
    List<Assumption> told = both(written, acknowledgment(store));
    Sheet sheet = new Sheet(store);
    sheet.promise(
        "reservation.atomicity",
        Aspect.ATOMICITY,
        "What is reserved, confirmed, cancelled and given back is a part of the caller's transaction: it is there if, and only if, that commits. Of the stocks of one reservation all are held, or none.",
        written);
    sheet.promise(
        "reservation.never-oversold",
        Aspect.DELIVERY,
        "What is held and confirmed of a stock is never more than the units that it has, whoever reserves at the same time; no unit is made or lost, by a crash or otherwise.",
        written);
    sheet.promise(
        "reservation.once",
        Aspect.DELIVERY,
        "A reservation is resolved once: confirmed, cancelled or expired. Of several that resolve it at the same time one does, and the others are told; the table refuses a second resolution to everybody.",
        told);
    sheet.promise(
        "reservation.fence",
        Aspect.DELIVERY,
        "An id that is cancelled without being known cannot be reserved any more, as long as it is kept.",
        told);
    sheet.promise(
        "reservation.answer",
        Aspect.ANSWER,
        "Asked again for the same, an operation answers what has become of it and changes nothing. Other content under the same id is refused.",
        told);
    waiting(sheet);
    sheet.promise(
        "reservation.expiry",
        Aspect.RECOVERY,
        "From its expiry on, by the database's clock, a hold cannot be confirmed, and its units can be had by whoever needs them, whether an upkeep runs or not.",
        written);
    sheet.promise(
        "reservation.recovery",
        Aspect.RECOVERY,
        "What a process holds that dies is given back when it is due: by the upkeep of any process, about a second later.",
        both(written, List.of(Guarantees.UPKEEP)));
    sheet.promise(
        "reservation.kept",
        Aspect.DURABILITY,
        "What is resolved is kept for the retention at least, by the database's clock. Then it is forgotten, and what was confirmed stays counted.",
        both(told, List.of(Guarantees.UPKEEP)));
    isolation(sheet, written, told);
    return new Guarantee(
        "reservation at " + store.kind(),
        List.of(store),
        Resolution.RESERVATION,
        "one local transaction over the hold and the decision",
        List.of(
            "Simultaneity: what is held is confirmed after the decision.",
            "Availability: nobody else can use what is held until it is resolved, or expires."),
        sheet.clauses(),
        List.of(
            "Whoever reserves under an id that is forgotten reserves anew, unless the reservation says until when it may be made.",
            "When the database's clock jumps ahead, holds and locks expire early.",
            "A transaction that has reserved and stays open keeps its stripe locked: where there is little, others wait for it.",
            "What the application does outside of the transaction in which it confirms is not part of this."));
  }

  private static void waiting(Sheet sheet) {
    sheet.promise(
        "reservation.waits",
        Aspect.ORDER,
        "As long as there is plenty, as many reserve at once as the stock has stripes. Whoever confirms or cancels waits only for those who reserve or resolve the same reservation, and whoever sees too little waits for nobody.",
        List.of());
    sheet.promise(
        "reservation.deadlock",
        Aspect.ORDER,
        "Transactions that reserve several stocks, in one reservation each, do not meet in a deadlock, in whatever order they name them.",
        List.of());
  }

  private static void isolation(Sheet sheet, List<Assumption> written, List<Assumption> told) {
    sheet.promise(
        "isolation.lock.owner",
        Aspect.VISIBILITY,
        "A semantic lock has one owner until it is released or expires by the database's clock, and each further owner has a greater token.",
        told);
    sheet.promise(
        "isolation.lock.require",
        Aspect.VISIBILITY,
        "A transaction that requires a lock commits before anybody else has it, or fails.",
        written);
    sheet.promise(
        "isolation.reread",
        Aspect.VISIBILITY,
        "A transaction that verifies what was read before fails when it has changed, and else commits before it does.",
        written);
  }
}
