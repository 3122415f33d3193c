package dev.holdfast.reconcile;

/** How the derived side differs about a key. */
public enum Drift {
  /** The source has it, the derived side has not. */
  MISSING,
  /** The derived side has it, the source has not. */
  EXTRA,
  /** Both have it, and the derived side in another version. */
  STALE,
  /**
   * Both have it, and the derived side in a later version: the source was restored, or is not the
   * source. Never repaired.
   */
  NEWER,
  /** One of them has it more than once. Never repaired. */
  DUPLICATE
}
