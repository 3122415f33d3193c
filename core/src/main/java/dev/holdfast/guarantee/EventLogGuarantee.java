package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.guarantee.Sheet.acknowledgment;
import static dev.holdfast.guarantee.Sheet.assumptions;
import static dev.holdfast.guarantee.Sheet.both;
import static dev.holdfast.guarantee.Sheet.requireTransactions;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import java.util.List;

/** An event log, and views and reactions that follow from it in the same database. */
final class EventLogGuarantee {
  private EventLogGuarantee() {}

  static Guarantee of(Boundary store) {
    requireTransactions(store);
    List<Assumption> written = assumptions(store, LOCAL_TRANSACTION);
    List<Assumption> told = both(written, acknowledgment(store));
    Sheet sheet = new Sheet(store);
    appended(sheet, written, told);
    read(sheet, written, told);
    projected(sheet, written, told);
    return new Guarantee(
        "event log at " + store.kind(),
        List.of(store),
        Resolution.EVENT_SOURCING,
        "one local transaction over the state and all that is derived from it",
        List.of(
            "Simultaneity: a view is behind the log, but for one that is applied inline; how far has no bound. Whoever has appended can wait for it.",
            "Isolation: views of several projections are at different places of the log."),
        sheet.clauses(),
        List.of(
            "A transaction that has appended and stays open holds up all readers: its holder is named, and nobody ends it by the passing of time.",
            "What a handler does outside of its transaction may happen several times.",
            "An id of an event that was archived is looked at only where the expected version is wrong, or there is a condition.",
            "A failover to a standby that lacks commits takes events back which readers elsewhere have seen; a checkpoint that is ahead of the log is refused.",
            "Whoever changes the log's table by hand changes what has happened: nobody is told."));
  }

  private static void appended(Sheet sheet, List<Assumption> written, List<Assumption> told) {
    sheet.promise(
        "eventlog.atomicity",
        Aspect.ATOMICITY,
        "What is appended in a transaction, to one stream or to several, is there if, and only if, that commits. An append that is refused changes nothing, and its transaction can go on.",
        written);
    sheet.promise(
        "eventlog.version",
        Aspect.ORDER,
        "Of those who append behind the same version of a stream one does, and the others are told which version it has. Versions are 1, 2, 3 without a gap.",
        written);
    sheet.promise(
        "eventlog.condition",
        Aspect.ATOMICITY,
        "Of those who append on a condition that the events of each of them break one does; an event that nobody has seen yet, since its transaction is open, is waited for.",
        written);
    sheet.promise(
        "eventlog.once",
        Aspect.DELIVERY,
        "The same events, under their ids, are appended once, however often they are, by however many at once and whatever replies are lost; each is told where they are. Other ones under an id are refused.",
        told);
    sheet.promise(
        "eventlog.durability",
        Aspect.DURABILITY,
        "What an append has answered, and what a reader has read, is still there after a crash of the database, whatever its sessions say of synchronous commits.",
        told);
  }

  private static void read(Sheet sheet, List<Assumption> written, List<Assumption> told) {
    sheet.promise(
        "eventlog.settled",
        Aspect.VISIBILITY,
        "Every reader sees each event once, in one order, which keeps that of the streams: nothing commits in front of what was read. Where something still may, readers wait, and who holds them up is named, a prepared transaction too.",
        told);
    sheet.promise(
        "eventlog.apart",
        Aspect.VISIBILITY,
        "A transaction that has appended nothing, however long, and one of another database hold up no reader.",
        written);
    sheet.promise(
        "eventlog.kept",
        Aspect.DURABILITY,
        "Events that are archived are read as before, at the same positions; a history that is imported is read as it was, and one with a gap is refused.",
        written);
  }

  private static void projected(Sheet sheet, List<Assumption> written, List<Assumption> told) {
    sheet.promise(
        "projection.once",
        Aspect.DELIVERY,
        "What an event leads to in its handler's transaction, rows, messages and workflows, and the place up to which the projection has come are one commit: it happens once, also when the reply to that commit is lost.",
        told);
    sheet.promise(
        "projection.order",
        Aspect.ORDER,
        "The events of a key are applied in the order of the log, those that were parked included.",
        written);
    sheet.promise(
        "projection.takeover",
        Aspect.RECOVERY,
        "When a process dies its slots are followed by any other that has the projection, within the lease (10 s unless set); one that is closed gives them back at once.",
        written);
    sheet.promise(
        "projection.fence",
        Aspect.RECOVERY,
        "Of two processes that are at one slot one moves its checkpoint; what the other has done is rolled back, also when it was paused and wakes up.",
        told);
    sheet.promise(
        "projection.parked",
        Aspect.RECOVERY,
        "An event that cannot be applied, or that nobody knows, is parked, with the later ones of its key; other keys go on, and a replay applies what was parked in order, each event once.",
        written);
    sheet.promise(
        "projection.rebuild",
        Aspect.RECOVERY,
        "A later version is built beside the live one, and becomes live in one commit when it has come as far.",
        written);
    sheet.promise(
        "projection.awaited",
        Aspect.VISIBILITY,
        "Whoever waits for a position, and is told that it is applied, finds everything up to it in the live view, but for what is parked.",
        written);
  }
}
