package dev.holdfast.outbox.store;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A channel as the database sees it.
 *
 * @param patterns the topics it takes
 * @param reason why it is not running, for people
 * @param leader who leads it now, if anyone
 * @param epoch the number of takeovers so far
 * @param lagMessages messages not yet delivered, counted up to {@link #LAG_BOUND}, by the
 *     database's copy of the progress, which trails by about a second
 * @param lag the age of the oldest of them; zero when there is none
 * @param parkedLanes keys (and single messages without one) that are held back
 * @param parkedMessages the messages held back with them
 */
public record ChannelStatus(
    String name,
    ChannelState state,
    @Nullable String reason,
    List<String> patterns,
    @Nullable String leader,
    long epoch,
    long lagMessages,
    Duration lag,
    long parkedLanes,
    long parkedMessages) {
  /** The count of waiting messages stops here. */
  public static final long LAG_BOUND = 1_000_000;
}
