package dev.holdfast.crashtest.workflow;

import dev.holdfast.crashtest.workflow.Executor.At;
import dev.holdfast.crashtest.workflow.Executor.Doubt;
import dev.holdfast.crashtest.workflow.WorkflowModel.Kinds;
import dev.holdfast.crashtest.workflow.WorkflowModel.Scope;
import dev.holdfast.workflow.store.Entry.Kind;
import java.util.List;

/**
 * Requests that arrive behind those who have given them up, and the time until they do not any
 * more. That is what {@code settleAfter} is relied on for, and nothing else: when it is over, no
 * request of the step is under way, and nobody who has looked at its lease is still about to send
 * one.
 */
final class ServiceMoves {
  private final Scope scope;

  ServiceMoves(Scope scope) {
    this.scope = scope;
  }

  void add(World world, Moves into) {
    for (int step = 0; step < scope.steps().size(); step++) {
      if (scope.steps().get(step) == Kinds.CALL) {
        late(world, step, into);
        settle(world, step, into);
      }
    }
  }

  private void late(World world, int step, Moves into) {
    Service service = world.service(step);
    String what = "step " + step + ": a late call ";
    if (service.late() > 0) {
      Service less = service.late(-1);
      into.progress(what + "never arrives", world.service(step, less));
      into.progress(what + "arrives", world.service(step, less.execute(scope.called().absorbs())));
    }
    if (service.lateUndo()) {
      Service less = service.lateUndo(false);
      into.progress(what + "to undo it never arrives", world.service(step, less));
      into.progress(
          what + "to undo it arrives", world.service(step, less.undo(scope.called().remembers())));
    }
  }

  private void settle(World world, int step, Moves into) {
    if (scope.called().inTime() && !isQuiet(world, step)) {
      return;
    }
    String what = "step " + step + ": what is not seen is not coming any more, ";
    if (!world.service(step).settled() && isInDoubt(world.journal(), step)) {
      into.progress(
          what + "by the journal", world.service(step, world.service(step).settled(true)));
    }
    for (int i = 0; i < world.executors().size(); i++) {
      Executor executor = world.executor(i);
      if (executor.step() == step && executor.doubt() == Doubt.RUNS) {
        into.progress(
            what + "for " + Executor.name(i),
            world.with(
                i,
                executor.call(
                    step, executor.attempts(), executor.open(), Doubt.OVER, executor.asked())));
      }
    }
  }

  private static boolean isQuiet(World world, int step) {
    if (world.service(step).late() > 0) {
      return false;
    }
    for (Executor executor : world.executors()) {
      if (executor.step() == step && (executor.at() == At.CALL || executor.at() == At.CALLED)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isInDoubt(List<Line> journal, int step) {
    for (int i = journal.size() - 1; i >= 0; i--) {
      Line line = journal.get(i);
      if (line.step() == step && (line.kind() == Kind.DOUBT || line.kind() == Kind.INTENT)) {
        return line.kind() == Kind.DOUBT;
      }
    }
    return false;
  }
}
