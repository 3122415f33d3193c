package dev.holdfast.projection;

import dev.holdfast.projection.store.ProjectionStore.Version;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls listeners, and lets none of them disturb the work that it learns of. */
final class GuardedListeners implements ProjectionListener {
  private static final Logger log = LoggerFactory.getLogger(GuardedListeners.class);

  private final List<ProjectionListener> listeners;

  GuardedListeners(List<ProjectionListener> listeners) {
    this.listeners = List.copyOf(listeners);
  }

  @Override
  public void takenUp(Version of, int slot) {
    each(listener -> listener.takenUp(of, slot));
  }

  @Override
  public void applied(Version of, int slot, int events, Duration took) {
    each(listener -> listener.applied(of, slot, events, took));
  }

  @Override
  public void parked(Version of, int slot, String key, long position, String reason) {
    each(listener -> listener.parked(of, slot, key, position, reason));
  }

  private void each(Consumer<ProjectionListener> call) {
    for (ProjectionListener listener : listeners) {
      try {
        call.accept(listener);
      } catch (RuntimeException e) {
        log.warn("{} has failed, which changes nothing of what follows the log", listener, e);
      }
    }
  }
}
