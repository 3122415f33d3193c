package dev.holdfast.reconcile;

/** What became of a difference that was to be repaired. */
public sealed interface Repaired {
  /** The derived side has what the source had. */
  record Done() implements Repaired {}

  /** One of the sides has changed since it was read, so nothing was. The next run looks again. */
  record Overtaken() implements Repaired {}

  /**
   * The derived side does not take it, for what it is.
   *
   * @param why without content of the row
   */
  record Refused(String why) implements Repaired {}
}
