package dev.holdfast.projection;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Transaction;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.store.Reading;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.projection.store.ProjectionStore;
import dev.holdfast.projection.store.ProjectionStore.Parked;
import dev.holdfast.projection.store.ProjectionStore.Slot;
import dev.holdfast.projection.store.ProjectionStore.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Carries projections out in this process, beside others that do; and says how far they are.
 * Thread-safe.
 */
public final class Projections implements AutoCloseable {
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(50);
  private static final int PARKED_AT_MOST = 1_000;
  private static final int REPLAYED_AT_ONCE = 500;

  private final Holdfast holdfast;
  private final ProjectionStore store;
  private final Map<Version, Projection> projections = new HashMap<>();
  private final Workers workers = new Workers();
  private final Map<Version, List<SlotRun>> runs = new LinkedHashMap<>();

  private Projections(
      Holdfast holdfast,
      List<Projection> all,
      ProjectionSettings settings,
      ProjectionListener listener,
      boolean runs) {
    this.holdfast = holdfast;
    this.store = holdfast.store().projections();
    String owner = ProcessHandle.current().pid() + "-" + UUID.randomUUID();
    for (Projection projection : all) {
      Version version = new Version(projection.name(), projection.version());
      if (projections.put(version, projection) != null) {
        throw new InvalidConfiguration(
            "The projection " + projection + " is there twice. Nothing was started.");
      }
    }
    projections.forEach(this::register);
    if (runs) {
      ProjectionListener guarded = ProjectionListener.all(List.of(listener));
      for (Projection projection : all) {
        run(projection, settings, owner, guarded);
      }
      workers.start();
    }
  }

  private void run(
      Projection projection,
      ProjectionSettings settings,
      String owner,
      ProjectionListener listener) {
    List<SlotRun> slots = new ArrayList<>();
    for (int slot = 0; slot < projection.slots(); slot++) {
      SlotRun run =
          new SlotRun(
              holdfast,
              store,
              projection,
              slot,
              settings,
              owner,
              workers::areClosing,
              key -> replay(projection.name(), projection.version(), key),
              listener);
      slots.add(run);
      workers.add("holdfast-projection-" + projection.name() + "-" + slot, run);
    }
    runs.put(new Version(projection.name(), projection.version()), slots);
  }

  /** The first version of a name is the live one at once, and is switched to as well. */
  private void register(Version version, Projection projection) {
    holdfast.transact(
        tx -> {
          if (store.register(tx.connection(), version, projection.slots())) {
            projection.switchTo(tx);
          }
        });
  }

  /**
   * Makes projections known, and begins to carry them out.
   *
   * @param holdfast on the database that has the event log and the views; a connection for each
   *     slot is used now and then, and another while it catches up
   * @throws InvalidConfiguration when one is there twice, or is known with another number of slots
   * @throws RuntimeException what {@code onSwitch} has thrown of one that is the first of its name;
   *     it is not known then
   */
  public static Projections start(
      Holdfast holdfast, ProjectionSettings settings, Projection... projections) {
    return start(holdfast, settings, ProjectionListener.NONE, projections);
  }

  /** As {@link #start(Holdfast, ProjectionSettings, Projection...)}, and tells a listener. */
  public static Projections start(
      Holdfast holdfast,
      ProjectionSettings settings,
      ProjectionListener listener,
      Projection... projections) {
    return new Projections(holdfast, List.of(projections), settings, listener, true);
  }

  /**
   * Makes projections known without carrying them out here, for awaiting and operating them; as
   * {@link #start} does otherwise.
   */
  public static Projections of(Holdfast holdfast, Projection... projections) {
    return new Projections(
        holdfast, List.of(projections), ProjectionSettings.DEFAULT, ProjectionListener.NONE, false);
  }

  /**
   * Waits until the live version of a projection has applied, or parked, everything up to a
   * position: so that whoever has appended reads what it has written itself.
   *
   * @param position as an append or a decision has answered
   * @return whether it has in time
   * @throws InterruptedException when this thread is interrupted
   */
  public boolean awaitApplied(String name, long position, Duration atMost)
      throws InterruptedException {
    long begun = Doorbell.nanos();
    Duration pause = Duration.ofMillis(1);
    while (true) {
      int live = store.live(name);
      if (live > 0 && store.applied(new Version(name, live)) >= position) {
        return true;
      }
      if (Doorbell.hasPassed(atMost, begun)) {
        return false;
      }
      new Doorbell().await(pause);
      pause = pause.multipliedBy(2);
      pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
    }
  }

  /** The version of a projection that is live; 0 when it is not known. */
  public int live(String name) {
    return store.live(name);
  }

  /** The position up to which a version has applied or parked everything. */
  public long applied(String name, int version) {
    return store.applied(new Version(name, version));
  }

  /** The keys that are parked, the oldest first; 1,000 at most. */
  public List<Parked> parked(String name, int version) {
    return store.parked(new Version(name, version), PARKED_AT_MOST);
  }

  /**
   * Applies what is parked of a key, in order, up to where its slot is; then it is followed again.
   * In transactions of 500 events at most: what was applied stays so when a later one fails.
   *
   * @return how many events were applied; 0 when the key is not parked
   * @throws InvalidConfiguration when the projection is not known here
   * @throws RuntimeException what a handler has thrown; the key is parked at that event
   */
  public int replay(String name, int version, String key) {
    Version of = new Version(name, version);
    Projection projection = projections.get(of);
    if (projection == null) {
      throw new InvalidConfiguration(
          "The projection %s is not known in this process, so nothing was replayed.".formatted(of));
    }
    int applied = 0;
    while (true) {
      Replayed step = holdfast.transactReturning(tx -> replay(tx, projection, of, key));
      applied += step.applied();
      if (step.isOver()) {
        return applied;
      }
    }
  }

  /**
   * Asks whoever is at the key's slot, in whatever process, to replay a key; it does so within
   * about a second. It is not parked any more then, or is with what the replay has failed with.
   *
   * @return false when it is not parked
   */
  public boolean askReplay(String name, int version, String key) {
    return store.release(new Version(name, version), key);
  }

  /** What this process does for each projection that it carries out. Asks nobody. */
  public List<FollowerState> states() {
    return runs.entrySet().stream()
        .map(
            each ->
                FollowerState.of(
                    each.getKey(), each.getValue().stream().map(SlotRun::progress).toList()))
        .toList();
  }

  private record Replayed(int applied, boolean isOver) {}

  /** Behind the lock nobody moves the slot, and who has put a batch together does so anew. */
  private Replayed replay(Transaction tx, Projection projection, Version of, String key)
      throws java.sql.SQLException {
    int number = projection.slotOf(key);
    Slot slot = store.lock(tx.connection(), of, number);
    long from = store.unpark(tx.connection(), of, key);
    if (from == 0) {
      return new Replayed(0, true);
    }
    // All of it was read by the slot: whoever is appending now must not seem to be the log's end.
    Reading reading = new Reading(from - 1, slot.checkpoint());
    int applied = 0;
    while (reading.after() < slot.checkpoint()) {
      for (RecordedEvent event : holdfast.store().events().readSettled(reading, REPLAYED_AT_ONCE)) {
        if (event.position() > slot.checkpoint()) {
          return new Replayed(applied, true);
        }
        if (projection.concerns(event) && projection.keyOf(event).equals(key)) {
          if (applied == REPLAYED_AT_ONCE) {
            store.park(tx.connection(), of, number, key, event.position(), "being replayed");
            return new Replayed(applied, false);
          }
          applyOne(tx, projection, event);
          applied++;
        }
      }
    }
    return new Replayed(applied, true);
  }

  private static void applyOne(Transaction tx, Projection projection, RecordedEvent event) {
    try {
      projection.apply(tx, event);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new ReplayFailed(event, e);
    }
  }

  /** Applies events in the transaction that has appended them, for views that are never late. */
  public static void applyInline(
      Transaction tx, Projection projection, List<RecordedEvent> events) {
    for (RecordedEvent event : events) {
      if (projection.concerns(event)) {
        applyOne(tx, projection, event);
      }
    }
  }

  /** Ends cleanly: batches under way are finished, and slots given back. */
  @Override
  public void close() {
    workers.close();
  }
}
