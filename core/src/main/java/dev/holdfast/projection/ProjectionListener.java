package dev.holdfast.projection;

import dev.holdfast.projection.store.ProjectionStore.Version;
import java.time.Duration;
import java.util.List;

/**
 * Learns what this process does for projections and for channels of events, whose name is {@code
 * channel/NAME} and whose version and slot are 1 and 0. Called on the threads that do it, several
 * at a time, outside of transactions and behind their commits; what it throws is logged and changes
 * nothing. Has to be quick and thread-safe.
 */
public interface ProjectionListener {
  /** Is told, and does nothing. */
  ProjectionListener NONE = new GuardedListeners(List.of());

  /** All of these, in order, none of which disturbs the others. */
  static ProjectionListener all(List<ProjectionListener> listeners) {
    return new GuardedListeners(listeners);
  }

  /** This process is at a slot from now on, at which another one was before, or nobody. */
  void takenUp(Version of, int slot);

  /**
   * Events were applied and committed, or sent and acknowledged.
   *
   * @param events how many, of a batch or of a replay; 1 or more
   * @param took from the first handler's call to the commit, or from the sending to the answer
   */
  void applied(Version of, int slot, int events, Duration took);

  /**
   * A key was parked: its events wait from now on.
   *
   * @param position of the event that could not be applied
   */
  void parked(Version of, int slot, String key, long position, String reason);
}
