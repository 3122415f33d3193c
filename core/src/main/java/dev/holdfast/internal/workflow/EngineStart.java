package dev.holdfast.internal.workflow;

import dev.holdfast.TransactionRunner;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowQueue;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Begins to run workflows in this process, with all that is known of it. */
@FunctionalInterface
public interface EngineStart {

  /**
   * @param runner begins and ends the transactions of steps; {@code null} where Holdfast does
   */
  Engine begin(
      List<Workflow<?, ?>> definitions,
      List<WorkflowQueue> queues,
      @Nullable TransactionRunner runner);
}
