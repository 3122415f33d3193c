package dev.holdfast.crashtest.twophase;

import dev.holdfast.crashtest.twophase.Owner.Doing;
import dev.holdfast.crashtest.twophase.Owner.Told;
import dev.holdfast.internal.twophase.OwnerProtocol.Action;
import dev.holdfast.internal.twophase.OwnerProtocol.Event;
import dev.holdfast.internal.twophase.OwnerProtocol.Transition;
import dev.holdfast.internal.twophase.RecoveryProtocol;
import dev.holdfast.twophase.store.Finish;
import dev.holdfast.twophase.store.Heuristic;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What owners do: what the table says, and each request in every way in which it can end: done,
 * done without a reply, not done, still on its way when the owner has given it up.
 */
final class OwnerSteps {
  private final Rules rules;
  private final List<List<Branch>> work;
  private final Set<Transition> visited = new HashSet<>();

  OwnerSteps(Rules rules, List<List<Branch>> work) {
    this.rules = rules;
    this.work = work;
  }

  /** The rows of the table that have been gone through. */
  Set<Transition> visited() {
    return visited;
  }

  void add(World world, int index, Steps into) {
    Op op = world.op(index);
    Owner owner = op.owner();
    String who = "owner " + (index + 1) + ": ";
    if (owner.isAlive()) {
      into.fault(who + "crashes", world.with(index, op.with(owner.crash())));
    }
    switch (owner.doing()) {
      case NOT_BEGUN -> begin(world, index, into);
      case WORK -> {
        into.progress(
            who + "has worked in all databases", world.with(index, after(op, Event.WORKED)));
        into.fault(who + "its work fails", world.with(index, after(op, Event.FAILED)));
      }
      case WRITE_DECISION -> decide(world, index, who, into);
      case PREPARE -> prepare(world, index, who, into);
      case COMMIT_DECISION -> commit(world, index, who, into);
      case COMMIT_BRANCHES -> finish(world, index, who, into);
      case LOOK_FOR_WITNESS, LOOK_UP_CLEANED -> explain(world, index, who, into);
      case ROLL_BACK -> undo(world, index, who, into);
      case THROW -> give(world, index, who, into);
      case ASK -> ask(world, index, who, into);
      case RETURN, CRASHED, ENDED -> {}
    }
  }

  private void begin(World world, int index, Steps into) {
    if (index > 0 && world.op(index - 1).serial() == 0) {
      return;
    }
    boolean again = world.serialLost();
    int serial = again ? world.op(0).serial() : index + 1;
    into.fault(
        "owner "
            + (index + 1)
            + ": begins, with serial "
            + serial
            + (again ? ", which is handed out again" : ""),
        world.serialLost(false).with(index, world.op(index).begin(serial, work.get(index))));
  }

  /** The table's row for the event, and what it says to do next. */
  private Op after(Op op, Event event) {
    Transition row = rules.table().after(op.owner().state(), event);
    visited.add(row);
    Owner owner =
        new Owner(
            row.to(),
            doing(row.action()),
            0,
            op.owner().prepared(),
            row.action() == Action.THROW_UNKNOWN ? Told.UNKNOWN : op.owner().told());
    if (row.action() == Action.RETURN) {
      Told told = owner.told() == Told.HEURISTIC ? Told.HEURISTIC : Told.COMMITTED;
      return op.with(owner.end(told));
    }
    return op.with(owner);
  }

  private static Doing doing(Action action) {
    return switch (action) {
      case WRITE_DECISION -> Doing.WRITE_DECISION;
      case PREPARE_NEXT -> Doing.PREPARE;
      case COMMIT_DECISION -> Doing.COMMIT_DECISION;
      case COMMIT_BRANCHES -> Doing.COMMIT_BRANCHES;
      case ROLL_BACK -> Doing.ROLL_BACK;
      case RETURN -> Doing.RETURN;
      case THROW -> Doing.THROW;
      case THROW_UNKNOWN -> Doing.ASK;
    };
  }

  private void decide(World world, int index, String who, Steps into) {
    Op op = world.op(index);
    if (op.isOpen() && !world.isHeld(index)) {
      into.progress(
          who + "writes the decision", world.with(index, after(op.write(), Event.WRITTEN)));
      into.fault(who + "cannot write the decision", world.with(index, after(op, Event.FAILED)));
    } else {
      into.progress(
          who
              + "cannot write the decision"
              + (op.isOpen() ? ": somebody asks" : ": its transaction is gone"),
          world.with(index, after(op, Event.FAILED)));
    }
  }

  private void prepare(World world, int index, String who, Steps into) {
    Op op = world.op(index);
    int participant = used(op, op.owner().prepared());
    String what = who + "PREPARE at participant " + participant;
    Branch branch = op.at(participant);
    Op asked = op.with(op.owner().askedToPrepare());
    if (!branch.is(Branch.State.WORKING) || world.isRefused(index, participant)) {
      into.progress(what + " is refused", world.with(index, after(asked, Event.FAILED)));
      return;
    }
    boolean isLast = used(op, asked.owner().prepared()) < 0;
    into.progress(
        what,
        world.with(
            index,
            after(
                asked.with(participant, branch.prepare()),
                isLast ? Event.ALL_PREPARED : Event.PREPARED)));
    into.fault(
        what + " is not done",
        world.with(index, after(asked.with(participant, branch.rollBack()), Event.FAILED)));
    into.fault(
        what + " is done, and the reply lost",
        world.with(index, after(asked.with(participant, branch.prepare()), Event.FAILED)));
    into.fault(
        what + " is given up, and on its way",
        world.with(index, after(asked.with(participant, branch.send()), Event.FAILED)));
  }

  /** Which participant has the n-th branch; -1 when there are fewer. */
  private static int used(Op op, int n) {
    int count = 0;
    for (int i = 0; i < op.branches().size(); i++) {
      if (!op.at(i).is(Branch.State.NONE) && count++ == n) {
        return i;
      }
    }
    return -1;
  }

  private void commit(World world, int index, String who, Steps into) {
    Op op = world.op(index);
    if (!op.isOpen()) {
      into.progress(
          who + "COMMIT of the decision is refused: it is rolled back",
          world.with(index, after(op, Event.FAILED)));
      into.fault(
          who + "COMMIT of the decision has no reply",
          world.with(index, after(op, Event.REPLY_LOST)));
      return;
    }
    into.progress(
        who + "COMMIT of the decision", world.with(index, after(op.commit(), Event.DECIDED)));
    into.fault(
        who + "COMMIT of the decision is done, and the reply lost",
        world.with(index, after(op.commit(), Event.REPLY_LOST)));
    into.fault(
        who + "COMMIT of the decision is not done, and has no reply",
        world.with(index, after(op, Event.REPLY_LOST)));
    into.fault(
        who + "COMMIT of the decision is given up, and on its way",
        world.with(index, after(op.sendCommit(), Event.REPLY_LOST)));
    into.fault(
        who + "COMMIT of the decision fails",
        world.with(index, after(op.rollBack(), Event.FAILED)));
  }

  private void finish(World world, int index, String who, Steps into) {
    Op op = world.op(index);
    int participant = op.owner().at();
    if (participant == op.branches().size()) {
      into.progress(
          who + "returns, or lets its caller know", world.with(index, after(op, Event.FINISHED)));
      return;
    }
    Branch branch = op.at(participant);
    String what = who + "COMMIT PREPARED at participant " + participant;
    Op next = op.with(op.owner().doing(Doing.COMMIT_BRANCHES, participant + 1));
    if (branch.is(Branch.State.NONE)) {
      into.progress(who + "has no branch at participant " + participant, world.with(index, next));
      return;
    }
    if (branch.is(Branch.State.PREPARED)) {
      into.progress(what, world.with(index, next.with(participant, branch.commit())));
      into.fault(what + " is not done, and left to recovery", world.with(index, next));
    } else if (RecoveryProtocol.needsWitness(Finish.NOT_PREPARED)) {
      into.progress(
          what + " finds nothing prepared",
          world.with(index, op.with(op.owner().doing(Doing.LOOK_FOR_WITNESS, participant))));
    } else {
      into.progress(what + " finds nothing prepared", world.with(index, next));
    }
  }

  private void explain(World world, int index, String who, Steps into) {
    Op op = world.op(index);
    int participant = op.owner().at();
    Branch branch = op.at(participant);
    if (op.owner().doing() == Doing.LOOK_FOR_WITNESS && !branch.witness()) {
      into.progress(
          who + "finds no witness at participant " + participant,
          world.with(index, op.with(op.owner().doing(Doing.LOOK_UP_CLEANED, participant))));
      return;
    }
    boolean witnessed = op.owner().doing() == Doing.LOOK_FOR_WITNESS;
    boolean forgotten = !witnessed && op.serial() <= world.cleaned().get(participant);
    Optional<Heuristic.Kind> found = rules.afterCommit(witnessed, forgotten);
    Op next = op.with(op.owner().doing(Doing.COMMIT_BRANCHES, participant + 1));
    if (found.isEmpty()) {
      into.progress(
          who
              + (witnessed ? "finds the witness" : "sees that it is cleaned up to there")
              + " at participant "
              + participant,
          world.with(index, next));
      return;
    }
    into.progress(
        who + "records that participant " + participant + " has " + found.get(),
        world.with(
            index,
            next.with(next.owner().tell(Told.HEURISTIC))
                .with(participant, branch.record(found.get()))));
  }

  private void undo(World world, int index, String who, Steps into) {
    Op op = world.op(index);
    int participant = op.owner().at();
    if (participant == op.branches().size()) {
      into.progress(who + "has undone what it can", world.with(index, after(op, Event.FINISHED)));
      return;
    }
    Branch branch = op.at(participant);
    String what = who + "ROLLBACK PREPARED at participant " + participant;
    Op next = op.with(op.owner().doing(Doing.ROLL_BACK, participant + 1));
    if (branch.is(Branch.State.PREPARED)) {
      into.progress(what, world.with(index, next.with(participant, branch.rollBack())));
      into.fault(what + " is not done, and left to recovery", world.with(index, next));
    } else if (branch.is(Branch.State.WORKING) && !branch.sent()) {
      into.progress(
          who + "ROLLBACK at participant " + participant,
          world.with(index, next.with(participant, branch.rollBack())));
    } else {
      into.progress(
          who + "has nothing to undo at participant " + participant, world.with(index, next));
    }
  }

  private void give(World world, int index, String who, Steps into) {
    Op op = world.op(index);
    Owner ended = op.owner().end(Told.NOT_COMMITTED);
    if (op.isOpen()) {
      into.progress(
          who + "ROLLBACK of the deciding transaction, and tells of the failure",
          world.with(index, op.rollBack().with(ended)));
      into.fault(
          who + "tells of the failure; its ROLLBACK is lost", world.with(index, op.with(ended)));
    } else {
      into.progress(who + "tells of the failure", world.with(index, op.with(ended)));
    }
  }

  /** {@code OutcomeUnknown.resolve}; without an answer it changes nothing. */
  private void ask(World world, int index, String who, Steps into) {
    Op op = world.op(index);
    if (op.isOpen() || world.isHeld(index)) {
      return;
    }
    if (op.row()) {
      into.progress(
          who + "asks, and is told that it is committed",
          world.with(index, op.with(op.owner().end(Told.COMMITTED))));
    } else if (op.serial() > world.cleaned().get(used(op, 0))) {
      into.progress(
          who + "asks, and is told that it is not committed",
          world.with(index, op.with(op.owner().end(Told.NOT_COMMITTED))));
    }
  }
}
