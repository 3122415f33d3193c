package dev.holdfast.reconcile;

/**
 * One of the two that are compared: a table, a search index, a topic. Immutable and thread-safe.
 *
 * <p>A key is there once; where it is not, the run says so ({@link Drift#DUPLICATE}) and repairs
 * nothing of it.
 */
public interface Side {
  /** What it is and where, for people; without credentials. */
  String description();

  /** What its versions are; the other side's are the same. */
  Versions versions();

  /**
   * Whether its entries say when the source changed them. Rows of the settle window are left out of
   * the comparison when both sides can tell.
   */
  boolean knowsChanges();

  /**
   * Begins to look at it, for one run.
   *
   * @throws dev.holdfast.HoldfastException when it cannot be looked at
   */
  SideSession open();
}
