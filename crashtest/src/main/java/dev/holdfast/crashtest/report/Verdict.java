package dev.holdfast.crashtest.report;

/** What is wrong, in the words of the dual-write problem. */
public enum Verdict {
  /** One effect is there and another that belongs to it is not, and nobody will make it. */
  LOST,
  /** A later effect is there without the one that it speaks of. */
  PHANTOM,
  /** An effect is there more often than it should be. */
  DUPLICATE,
  /** The effects of a key are there in another order. */
  REORDERED,
  /** Nobody finishes it: an attempt, a recovery or the background work does not come to an end. */
  STUCK,
  /** The caller was told something that is not true. */
  MISREPORTED
}
