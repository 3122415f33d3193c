package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.DEDUPLICATION;
import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.boundary.Capability.LOOKUP;
import static dev.holdfast.boundary.Capability.ORDER_PER_KEY;
import static dev.holdfast.boundary.Capability.PROGRESS_MARK;
import static dev.holdfast.guarantee.Sheet.acknowledgment;
import static dev.holdfast.guarantee.Sheet.assumptions;
import static dev.holdfast.guarantee.Sheet.both;
import static dev.holdfast.guarantee.Sheet.has;
import static dev.holdfast.guarantee.Sheet.requireTransactions;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Computes what the resolutions that this version carries out promise, from what the boundaries
 * declare. Pure functions; safe for use by several threads.
 */
public final class Guarantees {
  /** What takes time to be done is done by relays, of whatever channel. */
  static final Assumption UPKEEP =
      new Assumption(
          "holdfast.upkeep-runs", null, "A relay runs somewhere.", Set.of("storage.upkeep"));

  private Guarantees() {}

  /**
   * What {@code Holdfast.transact} promises about the changes of one database.
   *
   * @throws IllegalArgumentException if the boundary has no local transactions
   */
  public static Guarantee localTransaction(Boundary store) {
    requireTransactions(store);
    List<Assumption> written = assumptions(store, LOCAL_TRANSACTION);
    List<Assumption> told = both(written, acknowledgment(store));
    Sheet sheet = new Sheet(store);
    sheet.promise(
        "transact.atomicity",
        Aspect.ATOMICITY,
        "All changes of one call to transact, and all messages published in it, are one commit, or none of them happens; what was published after a savepoint goes when it is rolled back to.",
        written);
    sheet.promise(
        "transact.answer",
        Aspect.ANSWER,
        "When transact returns it is committed, and when it throws it is not, but for OutcomeUnknown, which says that the reply to the commit was lost. Asked within an hour and a half, resolve() then tells for certain whether it was committed, and if it was not, it never will be.",
        both(told, assumptions(store, LOOKUP)));
    sheet.promise(
        "transact.repeat",
        Aspect.DELIVERY,
        "Work that is run again after a serialization failure or a deadlock leaves nothing of the run before.",
        List.of());
    sheet.promise(
        "transact.version",
        Aspect.ORDER,
        "An update that names the version it expects, and does not find it, rolls everything back.",
        List.of());
    sheet.promise(
        "transact.isolation",
        Aspect.VISIBILITY,
        "Isolation is READ COMMITTED, or the level that the caller asks for, as long as all connections of the data source come with the same default.",
        List.of());
    sheet.promise(
        "transact.durability",
        Aspect.DURABILITY,
        "What is committed is still there after a crash of the process or of the database.",
        told);
    return new Guarantee(
        "transact at " + store.kind(),
        List.of(store),
        Resolution.LOCAL_TRANSACTION,
        "nothing; there is no stronger one",
        List.of(),
        sheet.clauses(),
        List.of(
            "Effects outside of this database, such as calls that the work makes, are not part of it; the work may run several times.",
            "After the hour and a half an outcome that is unknown stays so: look for the effects in the tables of the application."));
  }

  /**
   * What {@code Holdfast.atomically} promises about an operation in two databases; of more, it
   * promises the same with each.
   *
   * @param decider the database whose commit decides
   * @param other the one that prepares
   * @throws IllegalArgumentException if the first has no local transactions, or the other cannot
   *     prepare
   */
  public static Guarantee twoPhase(Boundary decider, Boundary other) {
    return TwoPhaseGuarantee.of(decider, other);
  }

  /**
   * What an inbox promises about the messages that it receives.
   *
   * @throws IllegalArgumentException if {@code store} has no local transactions
   */
  public static Guarantee inbox(Boundary store) {
    return InboxGuarantee.of(store);
  }

  /**
   * What reservations promise, and what else keeps sagas apart, in one database.
   *
   * @throws IllegalArgumentException if {@code store} has no local transactions
   */
  public static Guarantee reservation(Boundary store) {
    return ReservationGuarantee.of(store);
  }

  /**
   * What workflows promise whose steps are transactions at one database and calls of a service.
   *
   * @throws IllegalArgumentException if {@code store} has no local transactions
   */
  public static Guarantee workflow(Boundary store, Boundary service) {
    return WorkflowGuarantee.of(store, service);
  }

  /**
   * What an event log promises, and projections of it in the same database.
   *
   * @throws IllegalArgumentException if {@code store} has no local transactions
   */
  public static Guarantee eventLog(Boundary store) {
    return EventLogGuarantee.of(store);
  }

  /**
   * What a channel promises that publishes an event log.
   *
   * @throws IllegalArgumentException if {@code store} has no local transactions
   */
  public static Guarantee events(Boundary store, Boundary target) {
    return EventChannelGuarantee.of(store, target);
  }

  /** What a comparison of two sides promises, one of which is derived from the other. */
  public static Guarantee reconciliation(Boundary source, Boundary derived) {
    return ReconciliationGuarantee.of(source, derived);
  }

  /**
   * What an HTTP receiver with idempotency keys promises about the requests that it executes.
   *
   * @param clients those who send requests, as a boundary: what is assumed of them
   * @throws IllegalArgumentException if {@code store} has no local transactions
   */
  public static Guarantee receiver(Boundary clients, Boundary store) {
    return ReceiverGuarantee.of(clients, store);
  }

  /**
   * What a listener promises that takes messages from a queue and handles them through an inbox.
   *
   * @param queue where messages come from; with local transactions if it moves a message from one
   *     queue to another in one commit
   * @throws IllegalArgumentException if {@code store} has no local transactions
   */
  public static Guarantee listener(Boundary queue, Boundary store) {
    return ListenerGuarantee.of(queue, store);
  }

  /**
   * What a consumer promises that reads a log and keeps its offsets in a database.
   *
   * @throws IllegalArgumentException if {@code store} has no local transactions
   */
  public static Guarantee consumer(Boundary log, Boundary store) {
    return ConsumerGuarantee.of(log, store);
  }

  /**
   * What a channel promises about the messages that it takes from one boundary to the other.
   *
   * @throws IllegalArgumentException if {@code store} has no local transactions
   */
  public static Guarantee outbox(Boundary store, Boundary target) {
    requireTransactions(store);
    Sheet sheet = new Sheet(store);
    recorded(sheet, store);
    delivered(sheet, store, target);
    recovered(sheet, store, target);
    List<String> givenUp = new ArrayList<>();
    givenUp.add(
        "Simultaneity: the change is there first, and its message follows when the relay has come to it. How soon has no bound.");
    givenUp.add("Isolation: in between, a reader of both sees the one and not the other.");
    givenUp.add(
        "Grouping: the messages of one transaction may come in several batches, and of one operation through several channels.");
    return new Guarantee(
        "outbox from " + store.kind() + " to " + target.kind(),
        List.of(store, target),
        Resolution.OUTBOX,
        "one local transaction over both boundaries: both effects at once, or neither",
        givenUp,
        sheet.clauses(),
        risks(store, target));
  }

  private static void recorded(Sheet sheet, Boundary store) {
    sheet.promise(
        "outbox.atomicity",
        Aspect.ATOMICITY,
        "A message is recorded if, and only if, the transaction that publishes it commits, whoever manages that transaction.",
        assumptions(store, LOCAL_TRANSACTION));
    sheet.promise(
        "outbox.refusal",
        Aspect.ANSWER,
        "What no channel takes, or is published outside of a transaction, is refused at the call.",
        List.of());
    sheet.promise(
        "outbox.dedupe",
        Aspect.DELIVERY,
        "Of the messages of one topic with one dedupe key, committed within the dedupe window, one is recorded.",
        assumptions(store, LOCAL_TRANSACTION));
    sheet.promise(
        "outbox.delayed",
        Aspect.DELIVERY,
        "A delayed message is recorded once, and not before it is due by the database's clock.",
        both(assumptions(store, LOCAL_TRANSACTION), List.of(UPKEEP)));
    sheet.promise(
        "outbox.durability",
        Aspect.DURABILITY,
        "What is not delivered is not deleted. What is delivered is kept for the outbox's retention at least.",
        assumptions(store, LOCAL_TRANSACTION));
  }

  private static void delivered(Sheet sheet, Boundary store, Boundary target) {
    List<Assumption> kept = both(assumptions(store, LOCAL_TRANSACTION), acknowledgment(target));
    sheet.at(target);
    sheet.promise(
        "outbox.delivery.none-lost",
        Aspect.DELIVERY,
        "A message whose transaction is committed and durable is delivered, or parked and listed as such; one that commits late is not passed over, and holds up nobody else.",
        kept);
    sheet.promise(
        "outbox.delivery.none-invented",
        Aspect.DELIVERY,
        "No message is delivered of a transaction that rolled back, or that a crash of the database took back.",
        assumptions(store, LOCAL_TRANSACTION));
    if (has(target, PROGRESS_MARK)) {
      sheet.promise(
          "outbox.delivery.once",
          Aspect.DELIVERY,
          "A message is there once: the channel's progress is committed with it.",
          both(kept, assumptions(target, PROGRESS_MARK)));
    } else {
      sheet.promise(
          "outbox.delivery.repeats",
          Aspect.DELIVERY,
          "After a crash, a takeover or a lost acknowledgment, what was delivered since progress was last copied to the database comes again, in its order and under the same message ids.",
          kept);
    }
    absorbed(sheet, target, kept);
    if (has(target, ORDER_PER_KEY)) {
      sheet.promise(
          "outbox.order",
          Aspect.ORDER,
          "The messages of a key come, for the first time each, in the order in which their transactions took the key, per channel, those that were parked included.",
          both(kept, assumptions(target, ORDER_PER_KEY)));
    }
    sheet.promise(
        "outbox.visibility",
        Aspect.VISIBILITY,
        "Nobody sees a message before the change that it speaks of is durable.",
        assumptions(store, LOCAL_TRANSACTION));
  }

  /** What becomes of a repeat, where the target says for how long it knows one. */
  private static void absorbed(Sheet sheet, Boundary target, List<Assumption> kept) {
    if (has(target, DEDUPLICATION)) {
      sheet.promise(
          "outbox.delivery.deduplicated",
          Aspect.DELIVERY,
          "A repeat that comes within %s of the first is dropped by the target, so that for that long a message is there once."
              .formatted(Times.of(target.window(DEDUPLICATION))),
          both(kept, assumptions(target, DEDUPLICATION)));
    }
  }

  private static void recovered(Sheet sheet, Boundary store, Boundary target) {
    sheet.promise(
        "outbox.recovery.takeover",
        Aspect.RECOVERY,
        "When a relay dies or is stopped, another that runs the same channel goes on, by itself, within the lease's duration (5 s unless set) and the 5 s after which the database ends what the dead one had begun; where no other runs, the next that is started.",
        assumptions(store, LOCAL_TRANSACTION));
    if (has(target, PROGRESS_MARK)) {
      sheet.promise(
          "outbox.recovery.zombie",
          Aspect.RECOVERY,
          "A relay that was paused, and wakes up when another leads, changes nothing any more.",
          assumptions(target, PROGRESS_MARK));
    } else {
      sheet.promise(
          "outbox.recovery.zombie-repeats",
          Aspect.RECOVERY,
          "A relay that was paused, and wakes up when another leads, moves no progress any more; the batch that it had in its hands may come again.",
          List.of());
    }
    sheet.promise(
        "outbox.recovery.outage",
        Aspect.RECOVERY,
        "While the target or the database is out of reach messages wait; that uses up no attempts, parks nothing, and ends by itself.",
        List.of());
    sheet.promise(
        "outbox.recovery.parking",
        Aspect.RECOVERY,
        "A message that the target refuses is parked together with the later ones of its key, other keys go on, and a person can have it replayed in order, or skipped; all of that is audited.",
        assumptions(store, LOCAL_TRANSACTION));
    if (has(target, PROGRESS_MARK)) {
      sheet.promise(
          "outbox.recovery.copies",
          Aspect.RECOVERY,
          "After a failover that lost commits the channel goes on from the database's own copy of its progress, and repeats rather than loses; a restored backup is stopped until a person declares a new era; a clone is stopped and disturbs nobody.",
          assumptions(target, PROGRESS_MARK));
    }
  }

  private static List<String> risks(Boundary store, Boundary target) {
    List<String> risks = new ArrayList<>();
    if (!target.acknowledgment().isAtLeast(Acknowledgment.COMMITTED)
        && target.acknowledgment().isAtLeast(Acknowledgment.REPLICATED)) {
      risks.add(
          "An acknowledgment of %s means that its replicas have the message, in memory at least. If they lose that all at once it is gone there; the outbox still has it for its retention, and a new era from the beginning sends all of that again."
              .formatted(target.kind()));
    } else if (!target.acknowledgment().isAtLeast(Acknowledgment.PERSISTED)) {
      risks.add(
          "An acknowledgment of %s means that it has received the message; a crash of it may lose what it acknowledged."
              .formatted(target.kind()));
    }
    if (!has(target, PROGRESS_MARK)) {
      risks.add(
          "%s does not tell a clone of the database, or a backup that was restored, from the original: each delivers what it holds."
              .formatted(target.kind()));
    }
    if (!has(target, ORDER_PER_KEY)) {
      risks.add(target.kind() + " keeps no order, not even of one key.");
    }
    risks.add(
        "What a receiver does with a message, and does again after a crash of its own, is not part of this; the message's id tells repeats apart.");
    risks.add(
        "A failover to a standby that lacks commits takes back changes whose messages are delivered already.");
    risks.add("Messages without a key are delivered in any order.");
    risks.add(
        "A transaction that was committed without waiting for the disk may be taken back by a crash of %s, and its messages with it: both or neither."
            .formatted(store.kind()));
    return risks;
  }
}
