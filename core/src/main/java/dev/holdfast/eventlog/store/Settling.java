package dev.holdfast.eventlog.store;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How far the log is settled, as follows from one mark after the other. A pure decision; of one
 * reader, not thread-safe.
 *
 * <p>Positions are drawn under a lock that is held until the transaction's rows are visible, and a
 * mark looks at the positions first and at the lock's holders after that. So whoever has drawn a
 * position up to the mark's is a holder then, or is gone, and its rows are visible; and whoever
 * takes the lock later draws a higher one. When the holders are gone the mark's position is
 * settled.
 *
 * <p>A holder may go by being prepared and have another name then, at once or when the database is
 * started again, and the one cannot be told from the other. It had not the new name at the last
 * look. So when holders go, the renamed transactions that came since the last look are waited for
 * in their place. Each time at least one holder has gone, of a number that only shrinks: a steady
 * stream of others' prepared transactions does not hold the mark for ever.
 *
 * <p>A mark that is kept for a later look has to be flushed before: the database could else crash,
 * hand out its positions again, to transactions that are no holders of it, and nobody would know.
 */
public final class Settling {
  private long settled;
  private @Nullable Pending pending;

  private static final class Pending {
    final long last;
    final Set<String> sessions;
    final Set<String> prepared;
    Set<String> preparedBefore;

    Pending(Mark mark) {
      last = mark.last();
      sessions = new HashSet<>(mark.sessions());
      prepared = new HashSet<>(mark.prepared());
      preparedBefore = mark.prepared();
    }

    boolean isOver(Mark now) {
      if (sessions.retainAll(now.sessions())) {
        Set<String> came = new HashSet<>(now.prepared());
        came.removeAll(preparedBefore);
        prepared.addAll(came);
      }
      prepared.retainAll(now.prepared());
      preparedBefore = now.prepared();
      return sessions.isEmpty() && prepared.isEmpty();
    }
  }

  /**
   * @param checkpoint the position of an event that was read, or 0; it is settled
   */
  public Settling(long checkpoint) {
    this.settled = checkpoint;
  }

  /** Up to here nothing can appear any more that is not visible to a statement that begins now. */
  public long settled() {
    return settled;
  }

  /** Whether somebody is waited for. */
  public boolean isWaiting() {
    return pending != null;
  }

  /**
   * Takes a mark into account.
   *
   * @return whether it has to be flushed before anything that follows from it is believed: because
   *     more is settled, or because it is kept for the next look
   */
  public boolean look(Mark now) {
    if (now.isFree()) {
      boolean moved = now.last() > settled;
      settled = now.last();
      pending = null;
      return moved;
    }
    if (pending != null && !pending.isOver(now)) {
      return false;
    }
    if (pending != null) {
      settled = pending.last;
    }
    pending = now.last() > settled ? new Pending(now) : null;
    return true;
  }
}
