package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.COMPENSATION;
import static dev.holdfast.boundary.Capability.IDEMPOTENCY_KEY;
import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.boundary.Capability.LOOKUP;
import static dev.holdfast.guarantee.Sheet.acknowledgment;
import static dev.holdfast.guarantee.Sheet.assumptions;
import static dev.holdfast.guarantee.Sheet.both;
import static dev.holdfast.guarantee.Sheet.has;
import static dev.holdfast.guarantee.Sheet.requireTransactions;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import java.util.List;

/** Workflows whose steps commit one by one, at a database and at a service that is called. */
final class WorkflowGuarantee {
  private WorkflowGuarantee() {}

  static Guarantee of(Boundary store, Boundary service) {
    requireTransactions(store);
    List<Assumption> written = assumptions(store, LOCAL_TRANSACTION);
    List<Assumption> told = both(written, acknowledgment(store));
    Sheet sheet = new Sheet(store);
    steps(sheet, written, told);
    runs(sheet, written, told);
    sheet.at(service);
    calls(sheet, service, written);
    sheet.at(store);
    undoing(sheet, written);
    return new Guarantee(
        "workflow at " + store.kind() + " with " + service.kind(),
        List.of(store, service),
        Resolution.WORKFLOW,
        "one transaction over every step, here and at the service",
        List.of(
            "Simultaneity: steps are done one after another, and a crash puts the rest off.",
            "Isolation: others see what single steps have done, until the run has ended or it is undone. Reservations and semantic locks keep them off."),
        sheet.clauses(),
        List.of(
            "What a function does between its steps is done again whenever a run is taken up, and is not undone.",
            "A function that asks for the clock, for chance or for anything else that may come out otherwise, outside of a step, becomes another function: its runs get stuck.",
            "Who starts an id again that is forgotten starts another run, under the same keys.",
            "A failover to a standby that lacks commits takes back what was recorded: steps are done again, and calls under the same keys.",
            "When the database's clock jumps ahead, leases and waits end early; nothing is done twice for that which is not in doubt."));
  }

  private static void steps(Sheet sheet, List<Assumption> written, List<Assumption> told) {
    sheet.promise(
        "workflow.start",
        Aspect.ATOMICITY,
        "A run that is started, and a signal that is sent, in the caller's transaction is there if, and only if, that commits. Started again under its id it is the same run; with another input that is refused.",
        written);
    sheet.promise(
        "workflow.step",
        Aspect.ATOMICITY,
        "What a step changes and publishes in its transaction, and the record that it was done, are one commit: it is done once, also when the reply to that commit is lost.",
        told);
  }

  private static void runs(Sheet sheet, List<Assumption> written, List<Assumption> told) {
    sheet.promise(
        "workflow.recovery",
        Aspect.RECOVERY,
        "When a process dies its runs go on in any other that has their definition, within the lease and a poll (11 s unless set); one that is closed hands them over at once.",
        written);
    sheet.promise(
        "workflow.fence",
        Aspect.RECOVERY,
        "A process that was paused, and wakes up when another has its runs, commits nothing of them any more: no step, no record.",
        told);
    sheet.promise(
        "workflow.parked",
        Aspect.RECOVERY,
        "A run that waits, for a time, a signal, a child or its turn in a queue, is rows: it holds no thread and no memory, and no signal is lost, whichever comes first.",
        written);
    sheet.promise(
        "workflow.alone",
        Aspect.RECOVERY,
        "A run that cannot be executed, since its function has changed, or what is recorded cannot be read, or what it returns cannot be written, is stuck for a person to see; it touches nothing, and keeps no other from running.",
        List.of());
    sheet.promise(
        "workflow.queue",
        Aspect.ORDER,
        "Of the runs of a queue no more are under way than its bounds allow, in all processes together and for each key, and no more begin within any of its periods.",
        written);
  }

  private static void calls(Sheet sheet, Boundary service, List<Assumption> written) {
    boolean isResolved =
        has(service, IDEMPOTENCY_KEY) || has(service, LOOKUP) || has(service, COMPENSATION);
    if (has(service, IDEMPOTENCY_KEY)) {
      sheet.promise(
          "workflow.call.key",
          Aspect.DELIVERY,
          "A call that was interrupted, or whose reply is lost, is repeated under its key, but not later than %s after the first attempt, for which the key is kept."
              .formatted(Times.of(service.window(IDEMPOTENCY_KEY))),
          both(written, assumptions(service, IDEMPOTENCY_KEY)));
    }
    if (has(service, LOOKUP)) {
      sheet.promise(
          "workflow.call.lookup",
          Aspect.DELIVERY,
          "What became of a call that was interrupted, or whose reply is lost, is asked; that it is not seen is believed only when the settling time has passed.",
          both(written, assumptions(service, LOOKUP)));
    }
    if (has(service, COMPENSATION)) {
      sheet.promise(
          "workflow.call.undone",
          Aspect.ATOMICITY,
          "A call that may have had an effect is undone where its run is, also when what became of it was never found out.",
          both(written, assumptions(service, COMPENSATION)));
    }
    sheet.promise(
        isResolved ? "workflow.call.unknown" : "workflow.call.person",
        Aspect.DELIVERY,
        isResolved
            ? "What is not known is never taken for a failure: what a step has declared resolves it, and where that does not, a person."
            : "A call of which it is not known what became of it waits for a person; it is neither repeated nor given up.",
        written);
  }

  private static void undoing(Sheet sheet, List<Assumption> written) {
    sheet.promise(
        "workflow.undo",
        Aspect.ATOMICITY,
        "Where a run fails, is cancelled or passes its deadline, what its steps did is undone, the last first, each until it is, with its children in their turn. What undoes a step is known before the step has an effect.",
        written);
    sheet.promise(
        "workflow.pivot",
        Aspect.ATOMICITY,
        "Behind its pivot nothing of a run is undone, and a cancellation changes nothing.",
        written);
    sheet.promise(
        "workflow.stuck",
        Aspect.RECOVERY,
        "What cannot be undone, or goes on failing behind the pivot, is kept for a person, who can have it done again, skipped or ended; that is audited.",
        written);
  }
}
