package dev.holdfast.workflow;

/** Where a run is. */
public enum RunStatus {
  /** It waits for a time, a signal, a child, its turn, or an executor. */
  PARKED,
  /** An executor runs it. */
  RUNNING,
  /** It cannot go on by itself: a person has to look. */
  STUCK,
  /** It has ended with a result. */
  COMPLETED,
  /** It has ended without, and what it did is undone. */
  FAILED,
  /** It was cancelled, and what it did is undone. */
  CANCELLED;

  /** Whether nothing will happen to it any more. */
  public boolean isFinal() {
    return this == COMPLETED || this == FAILED || this == CANCELLED;
  }
}
