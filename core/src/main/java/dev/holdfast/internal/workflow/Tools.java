package dev.holdfast.internal.workflow;

import dev.holdfast.Codec;
import dev.holdfast.internal.transaction.Transactions;
import dev.holdfast.workflow.WorkflowListener;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.store.WorkflowStore;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What executions have in common.
 *
 * @param timer interrupts calls that take too long
 * @param branches runs the branches of a run
 * @param listener is told of what is recorded
 */
record Tools(
    WorkflowStore store,
    UUID storeId,
    Transactions transactions,
    Codec codec,
    WorkflowSettings settings,
    GroupCommit commits,
    DatabaseClock clock,
    ScheduledExecutorService timer,
    Executor branches,
    WorkflowListener listener) {

  /**
   * For a replay, which comes to no store, no transaction and no call: what would need one of these
   * fails. Its branches are run one after the other.
   */
  @SuppressWarnings("NullAway")
  static Tools ofAReplay(Codec codec, Instant now) {
    return new Tools(
        null,
        new UUID(0, 0),
        null,
        codec,
        WorkflowSettings.DEFAULT,
        null,
        new DatabaseClock(now),
        null,
        Runnable::run,
        WorkflowListener.all(List.of()));
  }
}
