package dev.holdfast.internal.workflow;

import dev.holdfast.workflow.store.WorkflowStore.Change;
import org.jspecify.annotations.Nullable;

/**
 * Ends the execution of a run in the middle of its function. An error, so that the function's own
 * {@code catch (Exception e)} lets it pass; where the function keeps it all the same, the next
 * thing that it asks of the flow throws it again.
 */
final class Stop extends Error {
  private static final long serialVersionUID = 1L;

  /** Why. */
  enum Kind {
    /** It waits. */
    PARK,
    /** It belongs to somebody else, or this process ends: nothing more is written. */
    LOST,
    /** It is given up, and is undone. */
    UNWIND,
    /** It needs a person. */
    STICK,
    /** It is complete, with a result that the function need not return. */
    COMPLETE
  }

  private final Kind kind;
  private final String reason;
  private boolean isInDoubt;
  private final transient Change.@Nullable Park park;
  private final transient @Nullable Object result;

  private Stop(Kind kind, String reason, Change.@Nullable Park park, @Nullable Object result) {
    super(reason, null, false, false);
    this.kind = kind;
    this.reason = reason;
    this.park = park;
    this.result = result;
  }

  static Stop park(Change.Park park) {
    return new Stop(Kind.PARK, "waits", park, null);
  }

  static Stop lost(String reason) {
    return new Stop(Kind.LOST, reason, null, null);
  }

  static Stop unwind(String reason) {
    return new Stop(Kind.UNWIND, reason, null, null);
  }

  static Stop stick(String reason) {
    return new Stop(Kind.STICK, reason, null, null);
  }

  static Stop complete(Object result) {
    return new Stop(Kind.COMPLETE, "complete", null, result);
  }

  /** The same, of a step that may have had an effect. */
  Stop inDoubt() {
    Stop result = new Stop(kind, reason, park, this.result);
    result.isInDoubt = true;
    return result;
  }

  boolean isInDoubt() {
    return isInDoubt;
  }

  Kind kind() {
    return kind;
  }

  String reason() {
    return reason;
  }

  Change.@Nullable Park park() {
    return park;
  }

  @Nullable Object result() {
    return result;
  }
}
