package dev.holdfast.reconcile;

/** What versions are. */
public enum Versions {
  /** Whole numbers that rise with every change of a row. */
  NUMBERS,
  /** Hashes of the content, or the like: equal or not. */
  OPAQUE
}
