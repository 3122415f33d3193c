package dev.holdfast.reconcile;

import java.util.List;

/**
 * Brings the derived side to what the source has. Thread-safe.
 *
 * <p>It reads the source's row again, and leaves the difference when that is not the version of
 * {@link Difference#source} any more; it replaces or deletes nothing but what {@link
 * Difference#derived} says, in one step that fails when something else is there by then. A repeat
 * does no harm.
 */
public interface Repair {
  /**
   * Repairs some.
   *
   * @param differences missing, extra or stale; at most {@link Reconciliation#REPAIRS_AT_ONCE}
   * @return what became of each, in their order
   * @throws dev.holdfast.HoldfastException when a side cannot be asked; any of them may be repaired
   *     then
   */
  List<Repaired> apply(List<Difference> differences);
}
