package dev.holdfast.crashtest.twophase;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All there is: operations, those who look after them, and what the deciding database knows of each
 * participant.
 *
 * @param recoverers alike, so that they are kept sorted: who is who makes no difference
 * @param sweepers alike as well
 * @param cleaned for each participant, up to which serial decisions are forgotten
 * @param refused for each participant, up to which serial it prepares nothing any more
 * @param serialLost the serial of the first operation will be handed out again: it was not flushed
 *     when the deciding database crashed
 * @param failovers how many more there may be
 * @param hands how many more branches somebody may end by hand
 */
record World(
    List<Op> ops,
    List<Recoverer> recoverers,
    List<Sweeper> sweepers,
    List<Integer> cleaned,
    List<Integer> refused,
    boolean serialLost,
    int failovers,
    int hands) {
  private static final Comparator<Recoverer> BY_RECOVERER =
      Comparator.comparing(Recoverer::at)
          .thenComparingInt(Recoverer::op)
          .thenComparingInt(Recoverer::participant)
          .thenComparing(recoverer -> recoverer.holds())
          .thenComparingInt(Recoverer::cleaned);
  private static final Comparator<Sweeper> BY_SWEEPER =
      Comparator.comparing(Sweeper::at)
          .thenComparingInt(Sweeper::participant)
          .thenComparingInt(Sweeper::from)
          .thenComparingInt(Sweeper::bound)
          .thenComparingInt(Sweeper::witnesses)
          .thenComparingInt(Sweeper::decisions);

  Op op(int index) {
    return ops.get(index);
  }

  World with(int index, Op op) {
    return new World(
        set(ops, index, op), recoverers, sweepers, cleaned, refused, serialLost, failovers, hands);
  }

  World with(int index, Recoverer recoverer) {
    List<Recoverer> changed = sorted(set(recoverers, index, recoverer), BY_RECOVERER);
    return new World(ops, changed, sweepers, cleaned, refused, serialLost, failovers, hands);
  }

  World with(int index, Sweeper sweeper) {
    List<Sweeper> changed = sorted(set(sweepers, index, sweeper), BY_SWEEPER);
    return new World(ops, recoverers, changed, cleaned, refused, serialLost, failovers, hands);
  }

  World clean(int participant, int upTo) {
    List<Integer> changed = set(cleaned, participant, upTo);
    return new World(ops, recoverers, sweepers, changed, refused, serialLost, failovers, hands);
  }

  World refuse(int participant, int upTo) {
    List<Integer> changed = set(refused, participant, Math.max(upTo, refused.get(participant)));
    return new World(ops, recoverers, sweepers, cleaned, changed, serialLost, failovers, hands);
  }

  /** Whether the participant prepares nothing of the operation any more. */
  boolean isRefused(int index, int participant) {
    return op(index).serial() <= refused.get(participant);
  }

  World serialLost(boolean value) {
    return new World(ops, recoverers, sweepers, cleaned, refused, value, failovers, hands);
  }

  World afterFailover() {
    return new World(ops, recoverers, sweepers, cleaned, refused, serialLost, failovers - 1, hands);
  }

  World afterHand() {
    return new World(ops, recoverers, sweepers, cleaned, refused, serialLost, failovers, hands - 1);
  }

  /** Whether somebody who asks has the decision's row inserted. */
  boolean isHeld(int index) {
    if (op(index).held()) {
      return true;
    }
    for (Recoverer recoverer : recoverers) {
      if (recoverer.holds(index)) {
        return true;
      }
    }
    return false;
  }

  /** Every transaction with a serial below this is over. */
  int over() {
    int next = 1;
    for (Op op : ops) {
      next = Math.max(next, op.serial() + 1);
    }
    if (serialLost) {
      next = op(0).serial();
    }
    for (Op op : ops) {
      if (op.isOpen()) {
        next = Math.min(next, op.serial());
      }
    }
    return next;
  }

  private static <T> List<T> set(List<T> list, int index, T value) {
    List<T> changed = new ArrayList<>(list);
    changed.set(index, value);
    return List.copyOf(changed);
  }

  private static <T> List<T> sorted(List<T> list, Comparator<T> order) {
    if (list.size() < 2) {
      return list;
    }
    List<T> changed = new ArrayList<>(list);
    changed.sort(order);
    return List.copyOf(changed);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof World that
        && serialLost == that.serialLost
        && failovers == that.failovers
        && hands == that.hands
        && ops.equals(that.ops)
        && recoverers.equals(that.recoverers)
        && sweepers.equals(that.sweepers)
        && cleaned.equals(that.cleaned)
        && refused.equals(that.refused);
  }

  @Override
  public int hashCode() {
    int bits = (serialLost ? 1 : 0) + 2 * failovers + 8 * hands;
    bits = 31 * bits + cleaned.hashCode();
    bits = 31 * bits + refused.hashCode();
    bits = 31 * bits + sweepers.hashCode();
    bits = 31 * bits + recoverers.hashCode();
    return 31 * bits + ops.hashCode();
  }

  @Override
  public String toString() {
    return ops
        + ", recoverers "
        + recoverers
        + (sweepers.isEmpty() ? "" : ", cleaners " + sweepers + ", cleaned up to " + cleaned);
  }
}
