package dev.holdfast.projection;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.projection.store.ProjectionStore;
import dev.holdfast.projection.store.ProjectionStore.Parked;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Publishes the event log by channels in this process, beside others that do. Thread-safe. */
public final class EventChannels implements AutoCloseable {
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(50);
  private static final int PARKED_AT_MOST = 1_000;

  private final ProjectionStore store;
  private final Workers workers = new Workers();
  private final Map<String, ChannelRun> runs = new LinkedHashMap<>();

  private EventChannels(
      Holdfast holdfast,
      ProjectionSettings settings,
      ProjectionListener listener,
      List<EventChannel> all) {
    this.store = holdfast.store().projections();
    String owner = ProcessHandle.current().pid() + "-" + UUID.randomUUID();
    UUID storeId = holdfast.store().workflows().storeId();
    Set<String> names = new HashSet<>();
    for (EventChannel channel : all) {
      if (!names.add(channel.name())) {
        throw new InvalidConfiguration("The " + channel + " is there twice. Nothing was started.");
      }
    }
    ProjectionListener guarded = ProjectionListener.all(List.of(listener));
    for (EventChannel channel : all) {
      store.register(ChannelRun.versionOf(channel.name()), 1);
      ChannelRun run =
          new ChannelRun(holdfast, channel, settings, owner, storeId, workers::areClosing, guarded);
      runs.put(channel.name(), run);
      workers.add("holdfast-events-" + channel.name(), run);
    }
    workers.start();
  }

  /**
   * Begins to publish.
   *
   * @throws InvalidConfiguration when a channel is there twice
   */
  public static EventChannels start(
      Holdfast holdfast, ProjectionSettings settings, EventChannel... channels) {
    return start(holdfast, settings, ProjectionListener.NONE, channels);
  }

  /** As {@link #start(Holdfast, ProjectionSettings, EventChannel...)}, and tells a listener. */
  public static EventChannels start(
      Holdfast holdfast,
      ProjectionSettings settings,
      ProjectionListener listener,
      EventChannel... channels) {
    return new EventChannels(holdfast, settings, listener, List.of(channels));
  }

  /** What this process does for each channel. Asks nobody. */
  public List<FollowerState> states() {
    return runs.values().stream().map(ChannelRun::state).toList();
  }

  /**
   * Waits until a channel has published, or parked, everything up to a position.
   *
   * @return whether it has in time
   */
  public boolean awaitPublished(String name, long position, Duration atMost)
      throws InterruptedException {
    long begun = Doorbell.nanos();
    Duration pause = Duration.ofMillis(1);
    while (store.applied(ChannelRun.versionOf(name)) < position) {
      if (Doorbell.hasPassed(atMost, begun)) {
        return false;
      }
      new Doorbell().await(pause);
      pause = pause.multipliedBy(2);
      pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
    }
    return true;
  }

  /** The keys that are parked, the oldest first; 1,000 at most. */
  public List<Parked> parked(String name) {
    return store.parked(ChannelRun.versionOf(name), PARKED_AT_MOST);
  }

  /**
   * Has what is parked of a key sent, in order, by whoever has the channel; then it is followed
   * again. A crash in the midst of it has some of it sent again.
   *
   * @return false when it is not parked
   */
  public boolean replay(String name, String key) {
    return store.release(ChannelRun.versionOf(name), key);
  }

  /** Ends cleanly: batches under way are finished, and channels given back. */
  @Override
  public void close() {
    workers.close();
  }
}
