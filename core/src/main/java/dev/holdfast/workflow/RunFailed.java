package dev.holdfast.workflow;

import dev.holdfast.HoldfastException;

/** A run has ended without a result; what it did is undone, or was left by hand. */
public final class RunFailed extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private final RunStatus status;

  public RunFailed(String id, RunStatus status, String reason) {
    super("Run %s has ended as %s: %s".formatted(id, status, reason));
    this.status = status;
  }

  /** {@code FAILED} or {@code CANCELLED}. */
  public RunStatus status() {
    return status;
  }
}
