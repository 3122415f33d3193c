package dev.holdfast.crashtest.workflow;

import dev.holdfast.crashtest.model.Model;
import dev.holdfast.crashtest.model.Property;
import dev.holdfast.crashtest.model.Step;
import dev.holdfast.internal.workflow.Policy;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.Entry.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * One run of a function of a few steps, executed by processes that crash, lose replies, and are
 * paused for longer than their lease at any step.
 *
 * <p>What is made of a call's outcome is decided by {@link
 * dev.holdfast.internal.workflow.CallProtocol}, and the journal is read by the engine's own code.
 * The rest stands for the code that it names: {@link Course} for {@code Execution}, {@code
 * CallRun}, {@code TransactionRun} and {@code Undos}, {@link DatabaseMoves} for {@code StepCommit},
 * {@code GroupCommit} and the functions {@code workflow_append}, {@code workflow_append_one} and
 * {@code workflow_claim}.
 *
 * <p>Not modelled: time other than what {@link ServiceMoves} says of it, keys that expire, the
 * number of an entry that was put in the place of another, branches, signals, children, and
 * whatever people do.
 */
final class WorkflowModel implements Model<World> {
  private final Scope scope;
  private final Course course;
  private final ExecutorMoves executors;
  private final DatabaseMoves database;
  private final ServiceMoves services;

  /** What a step is. */
  enum Kinds {
    CALL,
    TRANSACT
  }

  /** What the function does behind its last step. */
  enum Ends {
    RETURNS,
    THROWS
  }

  /**
   * How large the world is.
   *
   * @param steps of the function
   * @param policy of its calls
   * @param catches whether the function goes on when a call has failed
   * @param cancels whether somebody may cancel the run
   * @param parks whether waits may be waited as a row
   * @param executors how many processes there are at the same time
   * @param late how many requests to the database may arrive behind those who have given them up
   */
  record Scope(
      List<Kinds> steps,
      Policy policy,
      Ends ends,
      boolean catches,
      boolean cancels,
      boolean parks,
      int executors,
      int late,
      Called called) {

    Scope of(Kinds... others) {
      return new Scope(
          List.of(others), policy, ends, catches, cancels, parks, executors, late, called);
    }

    Scope with(Policy value) {
      return new Scope(steps, value, ends, catches, cancels, parks, executors, late, called);
    }

    Scope with(Called value) {
      return new Scope(steps, policy, ends, catches, cancels, parks, executors, late, value);
    }

    Scope with(Ends value) {
      return new Scope(steps, policy, value, catches, cancels, parks, executors, late, called);
    }

    Scope catching() {
      return new Scope(steps, policy, ends, true, cancels, parks, executors, late, called);
    }

    Scope cancelled() {
      return new Scope(steps, policy, ends, catches, true, parks, executors, late, called);
    }

    Scope parked() {
      return new Scope(steps, policy, ends, catches, cancels, true, executors, late, called);
    }

    Scope of(int processes, int lateRequests) {
      return new Scope(
          steps, policy, ends, catches, cancels, parks, processes, lateRequests, called);
    }
  }

  /**
   * Who is called.
   *
   * @param absorbs whether a repeat under a key is answered and not executed
   * @param remembers whether a key that is undone before it was executed never is
   * @param refuses whether it may refuse
   * @param inTime whether what it has not executed when {@code settleAfter} is over never comes
   */
  record Called(boolean absorbs, boolean remembers, boolean refuses, boolean inTime) {}

  WorkflowModel(Scope scope, WorkflowRules rules) {
    this.scope = scope;
    this.course = new Course(scope, rules);
    this.executors = new ExecutorMoves(scope, rules, course);
    this.database = new DatabaseMoves(scope, rules, course);
    this.services = new ServiceMoves(scope);
  }

  @Override
  public List<World> initial() {
    List<World> all = new ArrayList<>();
    all.add(
        new World(
            List.of(),
            new Row(RunStatus.PARKED, Row.NOBODY, false),
            Collections.nCopies(scope.executors(), Executor.FREE),
            List.of(),
            Collections.nCopies(scope.steps().size(), Service.NEW),
            World.Harm.NONE));
    return all;
  }

  @Override
  public List<Property<World>> properties() {
    return List.of(
        Property.always(
            "a former owner writes nothing",
            world -> world.harm() != World.Harm.WRITTEN_BY_A_FORMER_OWNER),
        Property.always("no entry is left out", world -> world.harm() != World.Harm.SWALLOWED),
        Property.always(
            "no effect twice",
            world -> world.services().stream().allMatch(each -> each.executions() < 2)),
        Property.always("what has completed has every effect", this::isWhole),
        Property.always("what has failed or was cancelled is undone", WorkflowModel::isUndone),
        Property.always("undone in the reverse order of beginning", WorkflowModel::isUndoneInOrder),
        Property.atRest("it ends, or waits for a person", world -> world.row().isOver()),
        Property.staysReachable("it can come to an end", world -> world.row().isOver()));
  }

  /** Every effect that the function knows of, and no other. */
  private boolean isWhole(World world) {
    if (world.row().status() != RunStatus.COMPLETED) {
      return true;
    }
    for (int step = 0; step < world.services().size(); step++) {
      if (world.service(step).isThere() != world.journal().contains(new Line(Kind.RESULT, step))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isUndone(World world) {
    RunStatus status = world.row().status();
    return (status != RunStatus.FAILED && status != RunStatus.CANCELLED)
        || world.services().stream().noneMatch(Service::isThere);
  }

  private static boolean isUndoneInOrder(World world) {
    if (!world.journal().contains(Line.ofRun(Kind.UNWINDING))) {
      return true;
    }
    boolean anyLeft = false;
    for (int step = world.services().size() - 1; step >= 0; step--) {
      Service service = world.service(step);
      if (service.undone() && anyLeft) {
        return false;
      }
      anyLeft |= service.isThere();
    }
    return true;
  }

  @Override
  public List<Step<World>> steps(World from) {
    Moves moves = new Moves();
    if (from.harm() == World.Harm.NONE) {
      for (int i = 0; i < from.executors().size(); i++) {
        executors.add(from, i, moves);
      }
      database.add(from, moves);
      services.add(from, moves);
    }
    return moves.list();
  }
}
