package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.NoTransaction;
import dev.holdfast.TransactionWork;
import dev.holdfast.workflow.StartOptions;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.Workflows;
import java.util.UUID;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Starts and signals workflows in Spring's current transaction: a run is there, and begins behind
 * the commit, if and only if that transaction commits. Thread-safe.
 *
 * <p>Needs what {@link TransactionalOutbox} needs. {@link Workflows}, the other bean, starts and
 * signals in a commit of its own, whatever transaction there is, and waits for results.
 */
public final class TransactionalWorkflows {
  private final Holdfast holdfast;
  private final Workflows workflows;
  private final TransactionalOutbox outbox;

  TransactionalWorkflows(Holdfast holdfast, Workflows workflows, TransactionalOutbox outbox) {
    this.holdfast = holdfast;
    this.workflows = workflows;
    this.outbox = outbox;
  }

  /**
   * Starts a run. Waits for a transaction that has started the same id and is open.
   *
   * @return whether there was none of that id before
   * @throws NoTransaction when there is none of Holdfast's {@code DataSource}, or when it is
   *     read-only or has been committed already; nothing was started
   * @throws dev.holdfast.workflow.RunConflict when there is one of that id with another definition
   *     or input
   */
  public <I> boolean start(Workflow<I, ?> workflow, String id, I input) {
    return start(workflow, id, input, StartOptions.DEFAULT);
  }

  /** As {@link #start(Workflow, String, Object)}, with options. */
  public <I> boolean start(Workflow<I, ?> workflow, String id, I input, StartOptions options) {
    String operation = options.operationId();
    return join(
        operation == null ? id : operation,
        tx -> workflows.start(tx, workflow, id, input, options));
  }

  /**
   * Sends a signal.
   *
   * @return false when there is no such run, or it has ended
   * @throws NoTransaction as {@link #start(Workflow, String, Object)}
   */
  public boolean signal(String id, String name, Object value) {
    return join(UUID.randomUUID().toString(), tx -> workflows.signal(tx, id, name, value));
  }

  private boolean join(String operationId, TransactionWork<Boolean> work) {
    boolean done = holdfast.join(outbox.requireTransaction(), operationId, work);
    TransactionSynchronizationManager.registerSynchronization(
        new TransactionSynchronization() {
          @Override
          public void afterCommit() {
            workflows.wake();
          }
        });
    return done;
  }
}
