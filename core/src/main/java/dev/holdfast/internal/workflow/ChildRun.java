package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.WorkflowStore.Change;
import dev.holdfast.workflow.store.WorkflowStore.Child;
import dev.holdfast.workflow.store.WorkflowStore.NewRun;
import dev.holdfast.workflow.store.WorkflowStore.Signal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Another run that this one starts, and waits for. Where this one is undone, so is the other: it is
 * cancelled, or where it has ended begins to undo, and this one waits until it has.
 */
final class ChildRun<I, O> {
  private final FlowContext flow;
  private final Execution execution;
  private final String step;
  private final Workflow<I, O> workflow;
  private final I input;

  ChildRun(FlowContext flow, String step, Workflow<I, O> workflow, I input) {
    this.flow = flow;
    this.execution = flow.execution();
    this.step = step;
    this.workflow = workflow;
    this.input = input;
  }

  O run() {
    Optional<Recorded> known = flow.visit(step);
    known.ifPresent(recorded -> undoable(recorded.seq(), recorded));
    Entry end = known.map(Recorded::end).orElse(null);
    if (end != null) {
      return ended(end);
    }
    flow.beforeNew();
    if (known.isEmpty()) {
      undoable(
          execution.append(Kind.CHILD, step, null, null, List.of(), List.of(described())), null);
    }
    Signal told =
        execution
            .journal()
            .receive(signal())
            .orElseThrow(() -> flow.stop(Stop.park(new Change.Park(null, List.of(signal())))));
    Kind kind = told.value() == null ? Kind.REJECTED : Kind.RESULT;
    execution.append(kind, step, told.value(), told.note(), List.of(told.number()), List.of());
    return ended(new Entry(1, kind, step, told.value(), told.note(), Instant.EPOCH));
  }

  /** No signal of anybody else's has a name like this. */
  private String signal() {
    return "#child " + step + generation();
  }

  private String id() {
    return flow.id() + "/" + step + generation();
  }

  /** One that the run has started before it was restarted is another. */
  private String generation() {
    int generation = execution.journal().generation(step);
    return generation == 0 ? "" : "@" + generation;
  }

  private NewRun described() {
    return new NewRun(
        id(),
        workflow.name(),
        workflow.version(),
        execution.write("the input of " + step, input),
        flow.operationId(),
        execution.attributesOf(id(), workflow),
        null,
        null,
        null,
        null,
        null,
        execution.claimed().run(),
        signal());
  }

  private O ended(Entry end) {
    if (end.value() == null) {
      throw new StepFailed(step, StepFailed.Kind.REJECTED, String.valueOf(end.note()), null);
    }
    return flow.read(end.value(), workflow.output());
  }

  private void undoable(int seq, @Nullable Recorded recorded) {
    if (recorded == null || !recorded.is(Kind.REJECTED)) {
      execution.undos().add(seq, step, Retry.COMPENSATION, recorded, false, this::undo);
    }
  }

  /** Asked again whenever the child says that it has ended. */
  private boolean undo() {
    Child child =
        execution
            .tools()
            .store()
            .undoChild(
                execution.tenure().executor(),
                execution.claimed().run(),
                execution.claimed().turn(),
                id(),
                "run " + flow.id() + " is undone, which has started this one");
    if (!child.isOwned()) {
      throw Stop.lost("the run belongs to another executor");
    }
    RunStatus status = child.status();
    if (status == RunStatus.COMPLETED) {
      throw Stop.stick(
          "Run %s, which step %s has started, is behind its pivot and has completed: it cannot be undone. Mend by hand what it did, and skip this step."
              .formatted(id(), step));
    }
    if (status != null && !status.isFinal()) {
      throw Stop.park(new Change.Park(null, List.of(signal())));
    }
    return false;
  }
}
