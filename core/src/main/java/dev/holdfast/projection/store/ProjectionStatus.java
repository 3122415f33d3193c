package dev.holdfast.projection.store;

import dev.holdfast.projection.store.ProjectionStore.Version;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A version of a projection, or a channel of events, as the database knows it, wherever it runs.
 *
 * @param version its name, which is {@code channel/NAME} for a channel, and its version
 * @param live which version of the name is live
 * @param slots in order; never empty
 * @param behindEvents the committed events behind the least checkpoint, whether they concern it or
 *     not, and whether readers may pass them by now or not; counted up to {@link #BEHIND_BOUND}
 * @param behind for how long the first of them has been recorded; zero when there is none
 * @param parkedKeys how many keys wait
 */
public record ProjectionStatus(
    Version version,
    int live,
    List<SlotStatus> slots,
    long behindEvents,
    Duration behind,
    long parkedKeys) {
  /** No more are counted. */
  public static final int BEHIND_BOUND = 10_000;

  public ProjectionStatus {
    slots = List.copyOf(slots);
  }

  /**
   * One of its slots.
   *
   * @param checkpoint the position up to which all of its events are applied or parked
   * @param generation raised by whoever changes what is parked in it
   * @param changedAt when it was moved, by the database's clock
   * @param owner who is at it now; {@code null} for nobody
   */
  public record SlotStatus(
      int slot, long checkpoint, long generation, Instant changedAt, @Nullable String owner) {}

  /** Whether it is the version that is seen. */
  public boolean isLive() {
    return version.version() == live;
  }

  /** The position up to which all of its slots are. */
  public long checkpoint() {
    return slots.stream().mapToLong(SlotStatus::checkpoint).min().orElse(0);
  }

  /** How many of its slots somebody is at. */
  public long owned() {
    return slots.stream().filter(slot -> slot.owner() != null).count();
  }
}
