package dev.holdfast.crashtest.report;

import org.jspecify.annotations.Nullable;

/**
 * Why a run says nothing about the operation: it could not be made as planned. Never a pass, and
 * never a verdict.
 *
 * @param kind which
 * @param text what happened and what to do
 * @param cause what was thrown, if anything was
 */
public record Problem(Kind kind, String text, @Nullable Throwable cause) {

  /** The kinds. */
  public enum Kind {
    /** The scenario lacks something, or says something twice. */
    INCOMPLETE_SCENARIO,
    /** Without any fault, the operation fails or its effects are not as expected. */
    GOLDEN_RUN_FAILED,
    /** What worked in the golden run fails before there is any fault. */
    CANNOT_BEGIN,
    /** Without any fault, nothing is committed through a wrapped resource. */
    NO_COMMIT_POINTS,
    /** Without any fault, the effects go on changing. */
    DOES_NOT_SETTLE,
    /** An expectation looks at a resource that was not wrapped. */
    NOT_WRAPPED,
    /** What is there cannot be looked at. */
    CANNOT_LOOK,
    /** A key that is to be used has effects already. */
    KEY_IN_USE,
    /** A planned point did not come. */
    POINT_NOT_REACHED,
    /** The operation's own thread did not commit what it did in the golden run. */
    POINT_MOVED,
    /** A fault could not be made at its point. */
    FAULT_NOT_MADE,
    /** A replay id names nothing that is there. */
    UNKNOWN_REPLAY,
    /** The thread was told to end. */
    INTERRUPTED
  }

  @Override
  public String toString() {
    return kind + ": " + text;
  }
}
