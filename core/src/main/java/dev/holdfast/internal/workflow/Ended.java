package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.RunStatus;
import org.jspecify.annotations.Nullable;

/**
 * How an execution has left its run.
 *
 * @param value the result, where it has completed
 * @param reason why it has not
 */
public record Ended(RunStatus status, @Nullable String value, @Nullable String reason) {
  static final Ended NOWHERE = new Ended(RunStatus.RUNNING, null, null);
}
