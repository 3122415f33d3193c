package dev.holdfast.twophase;

import dev.holdfast.HoldfastException;

/**
 * The operation was decided, and somebody else has ended a branch otherwise, by hand perhaps: the
 * databases do not agree, and only a person can say what is to be done. It is recorded as well; see
 * {@link TwoPhase#heuristics}.
 */
public final class HeuristicOutcome extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private final String operationId;

  public HeuristicOutcome(String message, String operationId) {
    super(message);
    this.operationId = operationId;
  }

  /** The operation whose effects are not whole. */
  public String operationId() {
    return operationId;
  }
}
