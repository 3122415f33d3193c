package dev.holdfast.outbox.store;

import org.jspecify.annotations.Nullable;

/**
 * How far a channel has come: everything visible in snapshot {@code from}, and of the window up to
 * snapshot {@code to} everything up to {@code position}.
 *
 * @param from a snapshot, as the database writes it
 * @param to the end of the window that is being worked off, or {@code null} between windows
 * @param position the position reached inside the window; 0 at its start
 * @param replayed while the control row after {@code position} is replaying a parked key: the
 *     position of the last parked message sent; otherwise 0
 */
public record Cursor(String from, @Nullable String to, long position, long replayed) {

  /** Between windows. */
  public static Cursor at(String snapshot) {
    return new Cursor(snapshot, null, 0, 0);
  }

  /** The same window, at another position. */
  public Cursor atPosition(long newPosition) {
    return new Cursor(from, to, newPosition, 0);
  }

  /** The same place, with parked messages up to this position replayed. */
  public Cursor withReplayed(long parkedPosition) {
    return new Cursor(from, to, position, parkedPosition);
  }

  public boolean insideWindow() {
    return to != null;
  }
}
