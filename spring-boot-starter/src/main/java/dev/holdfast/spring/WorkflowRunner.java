package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.spring.health.WorkflowState;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowQueue;
import dev.holdfast.workflow.Workflows;
import java.util.List;
import java.util.Optional;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;

/**
 * Runs the application's workflows, in transactions that Spring's manager begins: from when all
 * beans are there, since workflows are made of beans that may need Holdfast, until the application
 * ends, before its pool. Thread-safe.
 */
final class WorkflowRunner implements SmartLifecycle {
  private final Holdfast holdfast;
  private final boolean enabled;
  private final HoldfastAutoConfiguration.ChosenDataSource chosen;
  private final ListableBeanFactory beans;
  private final ObjectProvider<Workflow<?, ?>> definitions;
  private final ObjectProvider<WorkflowQueue> queues;
  private boolean running;

  WorkflowRunner(
      Holdfast holdfast,
      boolean enabled,
      HoldfastAutoConfiguration.ChosenDataSource chosen,
      ListableBeanFactory beans,
      ObjectProvider<Workflow<?, ?>> definitions,
      ObjectProvider<WorkflowQueue> queues) {
    this.holdfast = holdfast;
    this.enabled = enabled;
    this.chosen = chosen;
    this.beans = beans;
    this.definitions = definitions;
    this.queues = queues;
  }

  @Override
  public synchronized void start() {
    List<Workflow<?, ?>> all = definitions.orderedStream().toList();
    if (!enabled || all.isEmpty()) {
      return;
    }
    Workflows workflows = holdfast.workflows();
    workflows.execute(
        all,
        queues.orderedStream().toList(),
        new SpringTransactions(
            TransactionManagers.choose(beans, chosen.dataSource()),
            chosen.dataSource(),
            holdfast.store().writer()));
    running = true;
  }

  @Override
  public synchronized void stop() {
    if (running) {
      running = false;
      holdfast.workflows().stop();
    }
  }

  /** Asks nobody. */
  synchronized Optional<WorkflowState> state() {
    return running
        ? Optional.of(
            new WorkflowState(
                definitions.orderedStream().map(Workflow::toString).toList(),
                holdfast.workflows().isExecuting()))
        : Optional.empty();
  }

  @Override
  public synchronized boolean isRunning() {
    return running;
  }

  @Override
  public int getPhase() {
    return Consumers.PHASE;
  }
}
