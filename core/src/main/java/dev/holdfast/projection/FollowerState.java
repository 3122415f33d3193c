package dev.holdfast.projection;

import dev.holdfast.projection.store.ProjectionStore.Version;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What this process does for a projection, or for a channel of events. A process that is at no slot
 * since another one is at it is well.
 *
 * @param version its name, which is {@code channel/NAME} for a channel, and its version
 * @param slots how many it has
 * @param led at how many of them this process is
 * @param problem what keeps this process from going on, and is tried again; {@code null} when there
 *     is none
 */
public record FollowerState(Version version, int slots, int led, @Nullable String problem) {

  static FollowerState of(Version version, List<Progress> slots) {
    return new FollowerState(
        version,
        slots.size(),
        (int) slots.stream().filter(Progress::isLeading).count(),
        slots.stream().map(Progress::problem).filter(Objects::nonNull).findFirst().orElse(null));
  }

  /** Written by the thread of one slot. */
  static final class Progress {
    private volatile boolean leading;
    private long ledEpoch = -1;
    private volatile @Nullable String problem;

    boolean isLeading() {
      return leading;
    }

    @Nullable String problem() {
      return problem;
    }

    /**
     * It does.
     *
     * @return whether somebody else did since it has last
     */
    boolean leads(long epoch) {
      boolean isNew = epoch != ledEpoch + 1;
      ledEpoch = epoch;
      leading = true;
      return isNew;
    }

    void leadsNoMore() {
      leading = false;
    }

    void well() {
      if (problem != null) {
        problem = null;
      }
    }

    void failed(@Nullable Object reason) {
      problem = String.valueOf(reason);
    }
  }
}
