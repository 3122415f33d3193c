package dev.holdfast.reconcile;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Looks at a side, for one run and by one thread. Each call sees a state of its own: what is
 * written meanwhile may be in it or not, but what was committed before the call is.
 *
 * <p>Every method throws a {@link dev.holdfast.HoldfastException} when the side cannot be looked at
 * any more. The run then ends, with what was repaired repaired.
 */
public interface SideSession extends AutoCloseable {
  /** The time by the clock that {@link Entry#changedAt} is of. */
  Instant now();

  /**
   * What the parts of ranges amount to, computed where the rows are.
   *
   * @param ranges of one width, in order and apart; at most {@link Reconciliation#RANGES_AT_ONCE}
   * @param parts into how many each is cut; divides the width
   * @param changedBefore leaves out what was changed at that time or later; {@code null} leaves
   *     nothing out
   * @return the parts of the first range in order, then those of the second and so on
   */
  List<Summary> summarize(List<HashRange> ranges, int parts, @Nullable Instant changedBefore);

  /**
   * The rows of ranges, in any order.
   *
   * @param ranges as for {@link #summarize}
   * @param atMost how many; of more, any so many
   */
  List<Entry> list(List<HashRange> ranges, @Nullable Instant changedBefore, int atMost);

  /**
   * The rows of these keys as they are now, in any order; nothing for a key that is not there.
   *
   * @param keys at most {@link Reconciliation#KEYS_AT_ONCE}
   */
  List<Entry> read(List<String> keys);

  @Override
  void close();
}
