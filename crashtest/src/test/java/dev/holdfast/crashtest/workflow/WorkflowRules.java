package dev.holdfast.crashtest.workflow;

import dev.holdfast.internal.workflow.CallProtocol;
import dev.holdfast.internal.workflow.CallProtocol.Event;
import dev.holdfast.internal.workflow.CallProtocol.Next;
import dev.holdfast.internal.workflow.CallProtocol.Situation;
import dev.holdfast.internal.workflow.Policy;
import java.util.List;

/** What the engine does, where a mutant may do otherwise. */
class WorkflowRules {
  static final WorkflowRules STANDARD = new WorkflowRules();

  Next decide(Policy policy, Event event, Situation now) {
    return CallProtocol.decide(policy, event, now);
  }

  /** That a call may begin is recorded before it does: with it, that it may have to be undone. */
  boolean recordsIntent(Policy policy) {
    return policy.needsIntent();
  }

  /** Whether what is not seen is not coming any more. */
  boolean isSettled(Executor.Doubt doubt) {
    return doubt == Executor.Doubt.OVER;
  }

  /** From when on silence is a no counts from the last attempt: another one forgets it. */
  boolean forgetsDoubtWithAnotherAttempt() {
    return true;
  }

  /** {@code workflow_append} locks the row that a takeover updates; else it only reads it. */
  boolean fenceLocks() {
    return true;
  }

  /** Whether the fence tells an executor's turns at a run apart, and not the executors alone. */
  boolean fenceKnowsTheTurn() {
    return true;
  }

  /** Right before a call, and before a compensation. */
  boolean looksAtItsLease() {
    return true;
  }

  /** {@code StepCommit} puts another entry in the place of a record whose reply was lost. */
  boolean settlesLostReplies() {
    return true;
  }

  /** {@code Undos}: the last that was begun. */
  int nextUndo(List<Undo> all) {
    return all.size() - 1;
  }

  /** A step that was given up as unknown is undone though the function goes another way. */
  boolean undoesTheUnknown() {
    return true;
  }
}
