package dev.holdfast.crashtest.workflow;

/**
 * What undoes a step.
 *
 * @param how what is known of what it did
 * @param failures how often that has failed
 */
record Undo(int step, How how, int failures) {
  enum How {
    /** It has a result. */
    RESULT,
    /** A call that may have had an effect. */
    OPEN,
    /** It was given up as unknown, and is undone in any case. */
    UNKNOWN
  }

  Undo failed() {
    return new Undo(step, how, failures + 1);
  }

  @Override
  public String toString() {
    return step + "(" + how + (failures == 0 ? "" : ", " + failures + " failed") + ")";
  }
}
