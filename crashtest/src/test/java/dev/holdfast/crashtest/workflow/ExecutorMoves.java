package dev.holdfast.crashtest.workflow;

import dev.holdfast.crashtest.workflow.Executor.At;
import dev.holdfast.crashtest.workflow.Executor.Doubt;
import dev.holdfast.crashtest.workflow.Executor.Why;
import dev.holdfast.crashtest.workflow.WorkflowModel.Scope;
import dev.holdfast.internal.workflow.CallProtocol.Event;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.Entry.Kind;
import java.util.ArrayList;
import java.util.List;

/** What a executor does, and what becomes of it. */
final class ExecutorMoves {
  private final Scope scope;
  private final WorkflowRules rules;
  private final Course course;

  ExecutorMoves(Scope scope, WorkflowRules rules, Course course) {
    this.scope = scope;
    this.rules = rules;
    this.course = course;
  }

  void add(World world, int who, Moves into) {
    Executor executor = world.executor(who);
    String name = Executor.name(who) + ": ";
    if (executor.at() != At.FREE || world.row().executor() == who) {
      into.fault(name + "crashes", crash(world, who));
    }
    if (executor.at() != At.FREE && !executor.leaseOver()) {
      into.fault(name + "is paused, and its lease expires", world.with(who, executor.expire()));
    }
    switch (executor.at()) {
      case FREE -> claim(world, who, into);
      case READ -> into.progress(name + "reads the journal", course.read(world, who));
      case INTEND, FLUSH, PARK, STICK, UNWIND, END, TRANSACT, SETTLE -> resend(world, who, into);
      case INTENDED -> {
        if (isOver(executor)) {
          into.progress(name + "sees that its lease is over", course.lose(world, who));
        } else {
          into.progress(name + "sees that its lease is good", course.call(world, who));
        }
      }
      case CALL ->
          into.progress(
              name + "calls, for step " + executor.step(), world.with(who, executor.at(At.CALLED)));
      case CALLED -> called(world, who, into);
      case ASK -> ask(world, who, into);
      case FLUSHED -> {
        if (isOver(executor)) {
          into.progress(name + "sees that its lease is over", course.lose(world, who));
        } else {
          into.progress(
              name + "sees that its lease is good", world.with(who, executor.at(At.UNDO_CALL)));
        }
      }
      case UNDO_CALL ->
          into.progress(
              name + "calls, to undo step " + executor.step(),
              world.with(who, executor.at(At.UNDO_CALLED)));
      case UNDO_CALLED -> undoCalled(world, who, into);
      case PAUSE, UNDO_PAUSE -> waited(world, who, into);
    }
  }

  private boolean isOver(Executor executor) {
    return executor.leaseOver() && rules.looksAtItsLease();
  }

  private World crash(World world, int who) {
    Executor executor = world.executor(who);
    World to = world;
    if (executor.at() == At.CALLED) {
      to = late(world, executor.step());
    } else if (executor.at() == At.UNDO_CALLED) {
      to = world.service(executor.step(), world.service(executor.step()).lateUndo(true));
    }
    return course.gone(to, who);
  }

  private static World late(World world, int step) {
    return world.service(step, world.service(step).late(1));
  }

  private void claim(World world, int who, Moves into) {
    Row row = world.row();
    String name = Executor.name(who) + ": ";
    if (row.status() == RunStatus.RUNNING && row.executor() == who) {
      into.progress(
          name + "finds a run of its own that it does not know",
          world.with(who, world.executor(who).at(At.READ)));
      return;
    }
    boolean isOrphan =
        row.status() == RunStatus.RUNNING
            && (row.executor() == Row.DEAD || world.executor(row.executor()).leaseOver());
    if ((row.status() != RunStatus.PARKED && !isOrphan)
        || (world.isLocked() && rules.fenceLocks())) {
      return;
    }
    World to = forgetUnlocked(world, row.executor()).with(row.claim(who));
    String label = name + (isOrphan ? "takes the run over" : "claims the run");
    into.progress(label, to.with(who, to.executor(who).at(At.READ)));
    into.fault(label + ", and the reply is lost", to);
  }

  /** What the former owner has sent, and has not come to the fence, has no effect any more. */
  private World forgetUnlocked(World world, int former) {
    List<Sent> left = new ArrayList<>();
    for (Sent each : world.sent()) {
      boolean isFormer = each.executor() == former || rules.fenceKnowsTheTurn();
      if (each.attached() || each.locked() || !isFormer) {
        left.add(each);
      }
    }
    return world.sent(left);
  }

  private void resend(World world, int who, Moves into) {
    Executor executor = world.executor(who);
    if (world.attached(who) != null) {
      return;
    }
    String name = Executor.name(who) + ": ";
    if (executor.at() == At.TRANSACT && !rules.settlesLostReplies()) {
      // Under a number that nobody has.
      Executor renumbered = executor.base(world.journal().size());
      into.progress(
          name + "has lost the reply, and runs the transaction again",
          course.send(world.with(who, renumbered), who));
    } else if (executor.at() == At.TRANSACT) {
      into.progress(
          name + "has lost the reply, and puts another entry in the place of the record",
          course.send(world.with(who, executor.at(At.SETTLE)), who));
    } else if (executor.leaseOver()) {
      into.progress(name + "has lost the reply, and its lease is over", course.lose(world, who));
    } else {
      into.progress(name + "has lost the reply, and sends it again", course.send(world, who));
    }
  }

  private void called(World world, int who, Moves into) {
    Executor executor = world.executor(who);
    int step = executor.step();
    Service service = world.service(step);
    String name = Executor.name(who) + ": the call ";
    if (service.refused()) {
      into.progress(name + "is refused", course.decide(world, who, Event.REFUSED));
      into.fault(name + "is refused, and nobody is told", course.decide(world, who, Event.LOST));
    } else {
      World done = world.service(step, service.execute(scope.called().absorbs()));
      into.progress(name + "returns", course.decide(done, who, Event.RETURNED));
      into.fault(name + "is executed, and nobody is told", course.decide(done, who, Event.LOST));
    }
    if (scope.called().refuses() && !service.refused() && service.executions() == 0) {
      World refused = world.service(step, service.refuse());
      into.fault(name + "is refused", course.decide(refused, who, Event.REFUSED));
      into.fault(name + "is refused, and nobody is told", course.decide(refused, who, Event.LOST));
    }
    into.fault(name + "never arrives", course.decide(world, who, Event.LOST));
    into.fault(
        name + "is given up, and is under way", course.decide(late(world, step), who, Event.LOST));
  }

  private void undoCalled(World world, int who, Moves into) {
    int step = world.executor(who).step();
    Service service = world.service(step);
    String name = Executor.name(who) + ": the call to undo ";
    World done = world.service(step, service.undo(scope.called().remembers()));
    into.progress(name + "returns", course.undone(done, who, true));
    into.fault(name + "is executed, and nobody is told", course.undoFailed(done, who));
    into.fault(name + "never arrives", course.undoFailed(world, who));
    into.fault(
        name + "is given up, and is under way",
        course.undoFailed(world.service(step, service.lateUndo(true)), who));
  }

  private void ask(World world, int who, Moves into) {
    Executor executor = world.executor(who);
    int step = executor.step();
    String name = Executor.name(who) + ": ";
    if (executor.leaseOver()) {
      into.progress(name + "sees that its lease is over", course.lose(world, who));
      return;
    }
    if (executor.asked() && scope.parks()) {
      into.progress(name + "waits as a row, to ask again", course.park(world, who));
    }
    boolean isFirst = executor.doubt() == Doubt.NONE;
    Executor noted = isFirst ? executor.note(new Line(Kind.DOUBT, step)) : executor;
    Executor asking =
        noted.call(
            step, noted.attempts(), noted.open(), isFirst ? Doubt.RUNS : noted.doubt(), true);
    World to = world.with(who, asking);
    Event answer = answer(world.service(step));
    boolean undoes = executor.why() != Why.GOES_ON;
    into.progress(
        name + "asks what became of step " + step + ": " + answer,
        undoes ? course.settled(to, who, answer) : course.decide(to, who, answer));
    into.fault(
        name + "asks what became of step " + step + ": no answer",
        undoes ? course.undoFailed(to, who) : course.decide(to, who, Event.NO_ANSWER));
  }

  private static Event answer(Service service) {
    if (service.executions() > 0) {
      return Event.HAPPENED;
    }
    return service.refused() ? Event.WILL_NOT_HAPPEN : Event.NOT_SEEN;
  }

  private void waited(World world, int who, Moves into) {
    Executor executor = world.executor(who);
    String name = Executor.name(who) + ": ";
    if (executor.leaseOver()) {
      into.progress(name + "sees that its lease is over", course.lose(world, who));
      return;
    }
    into.progress(
        name + "has waited",
        executor.at() == At.PAUSE ? course.attempt(world, who) : course.nextUndo(world, who));
    if (scope.parks()) {
      into.progress(name + "waits as a row", course.park(world, who));
    }
  }
}
