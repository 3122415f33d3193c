package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.EventChannels;
import dev.holdfast.projection.FollowerState;
import dev.holdfast.projection.Projection;
import dev.holdfast.projection.ProjectionListener;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.projection.Projections;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;

/**
 * Carries out the application's projections, in transactions that Spring's manager begins, and its
 * channels of events: from when all beans are there, since handlers may need them, until the
 * application ends, before its pool. Thread-safe.
 */
final class EventFollowers implements SmartLifecycle {
  private final Holdfast holdfast;
  private final Supplier<Holdfast> transacting;
  private final boolean enabled;
  private final ProjectionSettings settings;
  private final ObjectProvider<Projection> projections;
  private final ObjectProvider<EventChannel> channels;
  private final ObjectProvider<ProjectionListener> listeners;
  private @Nullable Projections carriedOut;
  private @Nullable EventChannels published;

  /**
   * @param transacting the same Holdfast in Spring's transactions; asked for where there are
   *     projections, since it needs a transaction manager
   */
  EventFollowers(
      Holdfast holdfast,
      Supplier<Holdfast> transacting,
      HoldfastProperties.ProjectionsProperties properties,
      ObjectProvider<Projection> projections,
      ObjectProvider<EventChannel> channels,
      ObjectProvider<ProjectionListener> listeners) {
    this.holdfast = holdfast;
    this.transacting = transacting;
    this.enabled = properties.enabled();
    this.settings = properties.settings();
    this.projections = projections;
    this.channels = channels;
    this.listeners = listeners;
  }

  @Override
  public synchronized void start() {
    if (!enabled || isRunning()) {
      return;
    }
    ProjectionListener listener = ProjectionListener.all(listeners.orderedStream().toList());
    Projection[] all = projections.orderedStream().toArray(Projection[]::new);
    if (all.length > 0) {
      carriedOut = Projections.start(transacting.get(), settings, listener, all);
    }
    EventChannel[] those = channels.orderedStream().toArray(EventChannel[]::new);
    if (those.length > 0) {
      try {
        published = EventChannels.start(holdfast, settings, listener, those);
      } catch (RuntimeException e) {
        stop();
        throw e;
      }
    }
  }

  @Override
  public synchronized void stop() {
    Projections first = carriedOut;
    EventChannels second = published;
    carriedOut = null;
    published = null;
    if (second != null) {
      second.close();
    }
    if (first != null) {
      first.close();
    }
  }

  /** Asks nobody. */
  synchronized List<FollowerState> states() {
    List<FollowerState> all = new ArrayList<>();
    if (carriedOut != null) {
      all.addAll(carriedOut.states());
    }
    if (published != null) {
      all.addAll(published.states());
    }
    return all;
  }

  @Override
  public synchronized boolean isRunning() {
    return carriedOut != null || published != null;
  }

  @Override
  public int getPhase() {
    return Consumers.PHASE;
  }
}
