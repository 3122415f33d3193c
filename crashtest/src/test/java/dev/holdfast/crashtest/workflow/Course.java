package dev.holdfast.crashtest.workflow;

import dev.holdfast.crashtest.workflow.Executor.At;
import dev.holdfast.crashtest.workflow.Executor.Doubt;
import dev.holdfast.crashtest.workflow.Executor.Why;
import dev.holdfast.crashtest.workflow.Sent.Change;
import dev.holdfast.crashtest.workflow.Sent.Work;
import dev.holdfast.crashtest.workflow.WorkflowModel.Ends;
import dev.holdfast.crashtest.workflow.WorkflowModel.Kinds;
import dev.holdfast.crashtest.workflow.WorkflowModel.Scope;
import dev.holdfast.internal.workflow.CallProtocol.Event;
import dev.holdfast.internal.workflow.CallProtocol.Next;
import dev.holdfast.internal.workflow.CallProtocol.Situation;
import dev.holdfast.internal.workflow.StepInJournal;
import dev.holdfast.workflow.store.Entry.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a executor does by itself once it knows something, up to the next thing that others can see:
 * a crash in between leaves what a crash before it does.
 */
final class Course {
  /** Compensations are tried so often here. */
  static final int UNDO_ATTEMPTS = 2;

  private final Scope scope;
  private final WorkflowRules rules;

  Course(Scope scope, WorkflowRules rules) {
    this.scope = scope;
    this.rules = rules;
  }

  /** The journal has been read: the function runs, up to what is not recorded. */
  World read(World world, int who) {
    Executor executor =
        Executor.FREE.at(At.READ).base(world.journal().size()).cancelled(world.row().cancelled());
    if (world.executor(who).leaseOver()) {
      executor = executor.expire();
    }
    boolean isUnwinding = world.journal().contains(Line.ofRun(Kind.UNWINDING));
    if (isUnwinding) {
      boolean wasCancelled =
          world.journal().contains(new Line(Kind.UNWINDING, scope.steps().size()));
      executor = executor.why(wasCancelled ? Why.CANCELLED : Why.FAILED);
    }
    for (int step = 0; step < scope.steps().size(); step++) {
      StepInJournal known = inJournal(world, step);
      if (!known.isThere()) {
        return isUnwinding
            ? nextUndo(world.with(who, executor), who)
            : begin(world.with(who, executor), who, step);
      }
      Optional<Kind> end = known.end();
      if (end.isPresent()) {
        executor = ended(executor, step, known, end.get());
        if (end.get() != Kind.RESULT && !scope.catches()) {
          return isUnwinding
              ? nextUndo(world.with(who, executor), who)
              : giveUp(world.with(who, executor), who, Why.FAILED);
        }
      } else {
        return goOn(world.with(who, executor), who, step, known, isUnwinding);
      }
    }
    return isUnwinding
        ? nextUndo(world.with(who, executor), who)
        : end(world.with(who, executor), who);
  }

  private static StepInJournal inJournal(World world, int step) {
    List<Kind> kinds = new ArrayList<>();
    for (Line line : world.journal()) {
      if (line.step() == step && line.kind() != Kind.UNWINDING) {
        kinds.add(line.kind());
      }
    }
    return StepInJournal.read(kinds);
  }

  private static Executor ended(Executor executor, int step, StepInJournal known, Kind end) {
    if (end == Kind.REJECTED || known.undone()) {
      return executor;
    }
    Executor undoable =
        executor.undoable(step, end == Kind.RESULT ? Undo.How.RESULT : Undo.How.UNKNOWN);
    return failed(undoable, known.undoAttempts());
  }

  private static Executor failed(Executor executor, int times) {
    Executor result = executor;
    for (int i = 0; i < times; i++) {
      result = undoFailed(result);
    }
    return result;
  }

  /** A call that has no end; a transaction's step has one or nothing. */
  private World goOn(World world, int who, int step, StepInJournal known, boolean isUnwinding) {
    Doubt doubt =
        !known.asked() ? Doubt.NONE : world.service(step).settled() ? Doubt.OVER : Doubt.RUNS;
    Executor executor =
        world.executor(who).call(step, known.attempts(), known.open(), doubt, false);
    if (known.open() && !known.undone()) {
      executor = failed(executor.undoable(step, Undo.How.OPEN), known.undoAttempts());
    }
    World to = world.with(who, executor);
    if (isUnwinding) {
      return nextUndo(to, who);
    }
    if (executor.cancelled()) {
      return giveUp(to, who, Why.CANCELLED);
    }
    return known.open() ? decide(to, who, Event.LOST) : attempt(to, who);
  }

  /** {@code FlowContext.beforeNew}, and then what the step is. */
  private World begin(World world, int who, int step) {
    World to = world.change(who, executor -> executor.step(step));
    if (to.executor(who).cancelled()) {
      return giveUp(to, who, Why.CANCELLED);
    }
    return scope.steps().get(step) == Kinds.CALL ? attempt(to, who) : transact(to, who);
  }

  /** The next step, or the function's end. */
  private World next(World world, int who) {
    int step = world.executor(who).step() + 1;
    return step == scope.steps().size() ? end(world, who) : begin(world, who, step);
  }

  private World end(World world, int who) {
    return scope.ends() == Ends.THROWS ? giveUp(world, who, Why.FAILED) : nextUndo(world, who);
  }

  /** The function's step has thrown; it lets that pass, or goes on. */
  private World thrown(World world, int who) {
    return scope.catches() ? next(world, who) : giveUp(world, who, Why.FAILED);
  }

  /**
   * Recorded before anything is undone. The reason is in the note, here in the step: a cancelled
   * run's is that behind the last.
   */
  private World giveUp(World world, int who, Why why) {
    Executor executor = world.executor(who).why(why).note(Line.ofRun(Kind.UNWINDING));
    Executor noted =
        why == Why.CANCELLED
            ? executor.note(new Line(Kind.UNWINDING, scope.steps().size()))
            : executor;
    return send(world.with(who, noted.at(At.UNWIND)), who);
  }

  World attempt(World world, int who) {
    Executor executor = world.executor(who);
    if (executor.cancelled()) {
      return giveUp(world, who, Why.CANCELLED);
    }
    if (rules.recordsIntent(scope.policy())) {
      Line intent = new Line(Kind.INTENT, executor.step());
      return send(world.with(who, executor.note(intent).at(At.INTEND)), who);
    }
    return executor.pending().isEmpty()
        ? world.with(who, executor.at(At.INTENDED))
        : send(world.with(who, executor.at(At.INTEND)), who);
  }

  /** Past its look at its lease. */
  World call(World world, int who) {
    Executor executor = world.executor(who);
    Executor calling =
        executor.call(executor.step(), executor.attempts() + 1, true, executor.doubt(), false);
    boolean registers = rules.recordsIntent(scope.policy());
    return world.with(
        who, (registers ? calling.undoable(calling.step(), Undo.How.OPEN) : calling).at(At.CALL));
  }

  /** {@code CallRun.decide}: something has become known of the call. */
  World decide(World world, int who, Event event) {
    Executor executor = world.executor(who);
    int step = executor.step();
    boolean isSettled = rules.isSettled(executor.doubt());
    Next next =
        rules.decide(scope.policy(), event, new Situation(executor.attempts(), isSettled, true));
    return switch (next) {
      case RESULT ->
          next(
              world.with(
                  who, executor.note(new Line(Kind.RESULT, step)).undoable(step, Undo.How.RESULT)),
              who);
      case REJECTED ->
          thrown(
              world.with(who, executor.note(new Line(Kind.REJECTED, step)).notUndoable(step)), who);
      case UNKNOWN ->
          thrown(
              world.with(
                  who,
                  executor.note(new Line(Kind.UNKNOWN, step)).undoable(step, Undo.How.UNKNOWN)),
              who);
      case CALL -> {
        boolean isANo = event == Event.WILL_NOT_HAPPEN || (event == Event.NOT_SEEN && isSettled);
        Executor noted =
            isANo
                ? executor.note(new Line(Kind.ATTEMPT, step)).notUndoable(step)
                : executor.note(new Line(Kind.REPEAT, step));
        Doubt doubt = rules.forgetsDoubtWithAnotherAttempt() ? Doubt.NONE : executor.doubt();
        yield world.with(
            who, noted.call(step, executor.attempts(), !isANo, doubt, false).at(At.PAUSE));
      }
      case ASK -> world.with(who, executor.at(At.ASK));
      case STICK -> send(world.with(who, executor.at(At.STICK)), who);
    };
  }

  private World transact(World world, int who) {
    Executor executor = world.executor(who);
    return executor.leaseOver()
        ? lose(world, who)
        : send(world.with(who, executor.at(At.TRANSACT)), who);
  }

  /** The last that was begun; of a run that goes on, those alone that were given up as unknown. */
  World nextUndo(World world, int who) {
    Executor executor = world.executor(who);
    Optional<Undo> due = due(executor);
    if (due.isEmpty()) {
      Kind kind =
          switch (executor.why()) {
            case GOES_ON -> Kind.COMPLETED;
            case FAILED -> Kind.FAILED;
            case CANCELLED -> Kind.CANCELLED;
          };
      return send(world.with(who, executor.note(Line.ofRun(kind)).at(At.END)), who);
    }
    Undo undo = due.get();
    boolean isOpenCall = undo.how() == Undo.How.OPEN;
    Executor at =
        isOpenCall && executor.step() == undo.step() ? executor : executor.step(undo.step());
    World to = world.with(who, at);
    if (scope.steps().get(undo.step()) == Kinds.TRANSACT) {
      return transact(to, who);
    }
    return isOpenCall && scope.policy().hasLookup()
        ? to.with(who, at.call(at.step(), at.attempts(), true, at.doubt(), false).at(At.ASK))
        : flush(to, who);
  }

  private Optional<Undo> due(Executor executor) {
    List<Undo> all = executor.undos();
    if (executor.why() != Why.GOES_ON) {
      return all.isEmpty() ? Optional.empty() : Optional.of(all.get(rules.nextUndo(all)));
    }
    Optional<Undo> last = Optional.empty();
    for (Undo each : all) {
      if (each.how() == Undo.How.UNKNOWN && rules.undoesTheUnknown()) {
        last = Optional.of(each);
      }
    }
    return last;
  }

  /** What is known is written before the compensation has an effect. */
  private World flush(World world, int who) {
    Executor executor = world.executor(who);
    return executor.pending().isEmpty()
        ? world.with(who, executor.at(At.FLUSHED))
        : send(world.with(who, executor.at(At.FLUSH)), who);
  }

  /** {@code CallRun.settleAndUndo}: what became of it is known. */
  World settled(World world, int who, Event event) {
    Executor executor = world.executor(who);
    if (event == Event.HAPPENED) {
      return flush(world, who);
    }
    boolean isNo = event == Event.WILL_NOT_HAPPEN || rules.isSettled(executor.doubt());
    return isNo ? undone(world, who, true) : world;
  }

  /**
   * @param notes whether that is not recorded yet
   */
  World undone(World world, int who, boolean notes) {
    Executor executor = world.executor(who);
    int step = executor.step();
    Executor done = notes ? executor.note(new Line(Kind.UNDONE, step)) : executor;
    return nextUndo(world.with(who, done.notUndoable(step)), who);
  }

  World undoFailed(World world, int who) {
    Executor executor = world.executor(who);
    int step = executor.step();
    int failures = 1;
    for (Undo each : executor.undos()) {
      failures += each.step() == step ? each.failures() : 0;
    }
    if (failures >= UNDO_ATTEMPTS) {
      return send(world.with(who, executor.at(At.STICK)), who);
    }
    List<Undo> changed =
        executor.undos().stream().map(each -> each.step() == step ? each.failed() : each).toList();
    return world.with(
        who, executor.undos(changed).note(new Line(Kind.UNDO_ATTEMPT, step)).at(At.UNDO_PAUSE));
  }

  private static Executor undoFailed(Executor executor) {
    List<Undo> changed = new ArrayList<>(executor.undos());
    int last = changed.size() - 1;
    changed.set(last, changed.get(last).failed());
    return executor.undos(changed);
  }

  World park(World world, int who) {
    return send(world.change(who, executor -> executor.at(At.PARK)), who);
  }

  /** Nothing more is done by this execution. */
  World lose(World world, int who) {
    return world.executor(who).leaseOver() ? gone(world, who) : world.with(who, Executor.FREE);
  }

  /** The executor ends, or takes another number: what it has sent may arrive yet. */
  World gone(World world, int who) {
    boolean isOwner = world.row().executor() == who;
    List<Sent> left = new ArrayList<>();
    for (Sent each : world.sent()) {
      if (each.executor() != who) {
        left.add(each);
      } else if (isOwner || each.locked()) {
        left.add(each.ofTheDead());
      }
    }
    World to = world.sent(left).with(who, Executor.FREE);
    return isOwner ? to.with(to.row().claim(Row.DEAD)) : to;
  }

  /** Sends what the executor is at; what it notes stays with it until it has the reply. */
  World send(World world, int who) {
    Executor executor = world.executor(who);
    List<Line> lines = new ArrayList<>(executor.pending());
    Work work = Work.NONE;
    if (executor.at() == At.TRANSACT) {
      boolean undoes = isUndoing(executor);
      work = undoes ? Work.UNDO : Work.DO;
      lines.add(new Line(undoes ? Kind.UNDONE : Kind.RESULT, executor.step()));
    } else if (executor.at() == At.SETTLE) {
      work = Work.INSTEAD;
      lines.clear();
    }
    return world.send(
        new Sent(
            who,
            true,
            false,
            executor.base(),
            List.copyOf(lines),
            work,
            executor.step(),
            change(executor)));
  }

  private static boolean isUndoing(Executor executor) {
    return executor.why() != Why.GOES_ON;
  }

  private static Change change(Executor executor) {
    return switch (executor.at()) {
      case PARK -> Change.PARK;
      case STICK -> Change.STICK;
      case END ->
          switch (executor.why()) {
            case GOES_ON -> Change.COMPLETE;
            case FAILED -> Change.FAIL;
            case CANCELLED -> Change.CANCEL;
          };
      case FREE,
          READ,
          INTEND,
          FLUSH,
          UNWIND,
          TRANSACT,
          SETTLE,
          INTENDED,
          CALL,
          CALLED,
          PAUSE,
          ASK,
          FLUSHED,
          UNDO_CALL,
          UNDO_CALLED,
          UNDO_PAUSE ->
          Change.KEEP;
    };
  }

  /** The executor has the reply to what it has sent, which was committed. */
  World replied(World world, int who) {
    Executor before = world.executor(who);
    Executor executor =
        before.recorded(world.journal().size(), before.cancelled() || world.row().cancelled());
    World to = world.with(who, executor);
    return switch (executor.at()) {
      case INTEND -> to.with(who, executor.at(At.INTENDED));
      case FLUSH -> to.with(who, executor.at(At.FLUSHED));
      case UNWIND -> nextUndo(to, who);
      case PARK, STICK, END -> lose(to, who);
      case TRANSACT -> committed(to, who);
      case SETTLE ->
          world.journal().size() > before.base()
              ? committed(to, who)
              : transact(world.with(who, before), who);
      case FREE,
          READ,
          INTENDED,
          CALL,
          CALLED,
          PAUSE,
          ASK,
          FLUSHED,
          UNDO_CALL,
          UNDO_CALLED,
          UNDO_PAUSE ->
          throw new IllegalStateException("Nobody waits for a reply: " + executor);
    };
  }

  private World committed(World world, int who) {
    Executor executor = world.executor(who);
    if (isUndoing(executor)) {
      return undone(world, who, false);
    }
    return next(world.with(who, executor.undoable(executor.step(), Undo.How.RESULT)), who);
  }
}
