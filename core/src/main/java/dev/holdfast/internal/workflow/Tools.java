package dev.holdfast.internal.workflow;

import dev.holdfast.internal.transaction.Transactions;
import dev.holdfast.workflow.Codec;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.store.WorkflowStore;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What executions have in common.
 *
 * @param timer interrupts calls that take too long
 * @param branches runs the branches of a run
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
    Executor branches) {}
