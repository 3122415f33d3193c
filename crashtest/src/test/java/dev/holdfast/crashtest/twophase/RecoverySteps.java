package dev.holdfast.crashtest.twophase;

import dev.holdfast.crashtest.twophase.Recoverer.At;
import dev.holdfast.twophase.store.DecisionStore.Probe;
import dev.holdfast.twophase.store.Heuristic;
import java.util.Optional;

/** What whoever finds prepared branches does. */
final class RecoverySteps {
  private final Rules rules;

  RecoverySteps(Rules rules) {
    this.rules = rules;
  }

  void add(World world, int index, Steps into) {
    Recoverer recoverer = world.recoverers().get(index);
    if (recoverer.at() == At.IDLE) {
      list(world, index, into);
      return;
    }
    int number = recoverer.op();
    int participant = recoverer.participant();
    Op op = world.op(number);
    Branch branch = op.at(participant);
    String who = "recoverer: ";
    String what = " of operation " + (number + 1) + " at participant " + participant;
    World idle = world.with(index, Recoverer.IDLE);
    into.fault(
        who + "crashes" + (recoverer.holds() ? "; its question is open still" : ""),
        recoverer.holds() ? idle.with(number, op.hold(true)) : idle);
    switch (recoverer.at()) {
      case IDLE -> throw new IllegalStateException();
      case LISTED -> ask(world, index, into);
      case COMMITTING -> {
        if (branch.is(Branch.State.PREPARED)) {
          into.progress(
              who + "COMMIT PREPARED" + what,
              idle.with(number, op.with(participant, branch.commit())));
        } else {
          into.progress(
              who + "COMMIT PREPARED" + what + " finds nothing prepared",
              world.with(index, recoverer.go(At.NOT_PREPARED)));
        }
      }
      case ROLLING_BACK -> {
        if (branch.is(Branch.State.PREPARED)) {
          Op aborted = op.with(participant, branch.rollBack());
          into.progress(
              who + "ROLLBACK PREPARED" + what + ", and ends its question",
              idle.with(number, op.isOpen() ? aborted.abortAlive() : aborted));
        } else {
          into.progress(
              who + "ROLLBACK PREPARED" + what + " finds nothing prepared",
              world.with(index, recoverer.go(At.NOT_PREPARED_EITHER)));
        }
      }
      case NOT_PREPARED -> {
        if (branch.witness()) {
          into.progress(
              who + "finds the witness" + what,
              record(idle, number, participant, rules.afterCommit(true, false)));
        } else {
          into.progress(
              who + "finds no witness" + what, world.with(index, recoverer.go(At.NO_WITNESS)));
        }
      }
      case NO_WITNESS -> {
        boolean forgotten = op.serial() <= world.cleaned().get(participant);
        conclude(who, what, idle, number, participant, rules.afterCommit(false, forgotten), into);
      }
      case NOT_PREPARED_EITHER ->
          conclude(
              who, what, idle, number, participant, rules.afterRollback(branch.witness()), into);
      case REPORTING ->
          conclude(
              who,
              what,
              idle,
              number,
              participant,
              branch.is(Branch.State.PREPARED)
                  ? Optional.of(Heuristic.Kind.TOO_OLD)
                  : Optional.empty(),
              into);
    }
  }

  private static void conclude(
      String who,
      String what,
      World idle,
      int number,
      int participant,
      Optional<Heuristic.Kind> found,
      Steps into) {
    into.progress(
        who + found.map(kind -> "records " + kind).orElse("finds nothing wrong") + what,
        record(idle, number, participant, found));
  }

  private static World record(
      World world, int number, int participant, Optional<Heuristic.Kind> found) {
    if (found.isEmpty()) {
      return world;
    }
    Op op = world.op(number);
    return world.with(number, op.with(participant, op.at(participant).record(found.get())));
  }

  private void list(World world, int index, Steps into) {
    for (int number = 0; number < world.ops().size(); number++) {
      Op op = world.op(number);
      for (int participant = 0; participant < op.branches().size(); participant++) {
        if (op.at(participant).is(Branch.State.PREPARED)) {
          into.progress(
              "recoverer: finds the branch of operation "
                  + (number + 1)
                  + " prepared at participant "
                  + participant,
              world.with(
                  index,
                  new Recoverer(
                      At.LISTED,
                      number,
                      participant,
                      false,
                      rules.readsCleanedAfterAsking() ? 0 : world.cleaned().get(participant))));
        }
      }
    }
  }

  private void ask(World world, int index, Steps into) {
    Recoverer recoverer = world.recoverers().get(index);
    int number = recoverer.op();
    Probe probe = probe(world, number, recoverer);
    String label = "recoverer: asks about operation " + (number + 1) + ": " + probe + ", so: ";
    boolean isInserted =
        rules.asksByInserting() && (probe == Probe.ROLLED_BACK || probe == Probe.FORGOTTEN);
    switch (rules.judge(probe)) {
      case LEAVE -> into.progress(label + "leaves the branch", world.with(index, Recoverer.IDLE));
      case COMMIT ->
          into.progress(label + "will commit it", world.with(index, recoverer.go(At.COMMITTING)));
      case ROLL_BACK -> {
        Recoverer next = recoverer.go(At.ROLLING_BACK);
        into.progress(
            label + "will roll it back", world.with(index, isInserted ? next.hold() : next));
      }
      case REPORT ->
          into.progress(label + "will report it", world.with(index, recoverer.go(At.REPORTING)));
    }
  }

  private Probe probe(World world, int number, Recoverer recoverer) {
    Op asked = world.op(number);
    boolean isHeld = world.isHeld(number);
    boolean isThere = false;
    for (int i = 0; i < world.ops().size(); i++) {
      Op op = world.op(i);
      boolean isSame = i == number || (!rules.namesByNonce() && op.serial() == asked.serial());
      if (isSame && op.row()) {
        isHeld |= op.isOpen();
        isThere |= op.isDecided();
      }
    }
    if (isHeld && rules.asksByInserting()) {
      return Probe.OPEN;
    }
    if (isThere) {
      return Probe.COMMITTED;
    }
    int cleaned =
        rules.readsCleanedAfterAsking()
            ? world.cleaned().get(recoverer.participant())
            : recoverer.cleaned();
    return asked.serial() <= cleaned ? Probe.FORGOTTEN : Probe.ROLLED_BACK;
  }
}
