package dev.holdfast.workflow;

import dev.holdfast.HoldfastException;

/** There is a run of the same id that was started with something else. */
public final class RunConflict extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public RunConflict(String message) {
    super(message);
  }
}
