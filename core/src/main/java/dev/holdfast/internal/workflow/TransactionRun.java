package dev.holdfast.internal.workflow;

import dev.holdfast.TransactionWork;
import dev.holdfast.workflow.Step;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.store.Entry.Kind;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A step that ends in a transaction. */
final class TransactionRun<T> {
  private final StepRun<T> step;
  private final FlowContext flow;
  private final Execution execution;
  private final TransactionWork<T> work;

  TransactionRun(StepRun<T> step, TransactionWork<T> work) {
    this.step = step;
    this.flow = step.flow();
    this.execution = flow.execution();
    this.work = work;
  }

  T run() {
    return run(false);
  }

  /** Ends the run with the step: its function does not go on. */
  T complete() {
    requireLast();
    throw flow.stop(Stop.complete(run(true)));
  }

  private void requireLast() {
    Workflow<?, ?> workflow = execution.workflow();
    if (!flow.path().isEmpty() || step.type() != workflow.output()) {
      throw flow.stop(
          Stop.stick(
              "Step %s has a result of %s and is to end the run: the function's own last step can, and no branch's, with a result of %s. It was not run."
                  .formatted(step.name(), step.type().getName(), workflow.output().getName())));
    }
  }

  private T run(boolean completes) {
    Optional<Recorded> known = flow.visit(step.name());
    Recorded recorded = known.orElse(null);
    if (recorded != null && recorded.end() != null) {
      T value = step.ended(recorded.end());
      undoable(recorded.seq(), recorded, value);
      return value;
    }
    int failures = recorded == null ? 0 : recorded.attempts();
    while (true) {
      flow.beforeNew();
      if (completes) {
        beforeEnd();
      }
      StepCommit<T> commit =
          new StepCommit<>(
              execution,
              Kind.RESULT,
              completes,
              step.name(),
              value -> execution.write("the result of step " + step.name(), value));
      try {
        T value = commit.run(work, step::ended);
        undoable(commit.seq(), null, value);
        if (completes) {
          execution.completed(commit.value());
        }
        return value;
      } catch (Stop stop) {
        throw flow.stop(stop);
      } catch (RuntimeException e) {
        flow.require();
        failures++;
        failed(e, failures);
      }
    }
  }

  /** What is done before a run ends. */
  private void beforeEnd() {
    try {
      execution.beforeEnd();
    } catch (Stop stop) {
      throw flow.stop(stop);
    }
  }

  private void failed(RuntimeException e, int failures) {
    String reason = Execution.text(e);
    if (failures >= step.policy().retry().attempts()) {
      execution.journal().defer(Kind.REJECTED, step.name(), null, reason, execution.now());
      throw new StepFailed(step.name(), StepFailed.Kind.REJECTED, reason, e);
    }
    execution.journal().defer(Kind.ATTEMPT, step.name(), null, reason, execution.now());
    flow.pause(step.policy().retry().waitAfter(failures), false);
  }

  /** Undone in one commit with the record that it was. */
  private void undoable(int seq, @Nullable Recorded recorded, T value) {
    Step.Undo<T> undo = step.undo();
    if (undo == null) {
      return;
    }
    execution
        .undos()
        .add(
            seq,
            step.name(),
            step.policy().compensationRetry(),
            recorded,
            false,
            () -> {
              StepCommit<Boolean> commit =
                  new StepCommit<>(execution, Kind.UNDONE, false, step.name(), done -> null);
              return commit.run(
                  tx -> {
                    undo.run(tx, value);
                    return true;
                  },
                  entry -> true);
            });
  }
}
