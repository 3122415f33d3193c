package dev.holdfast.outbox.store;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Channels, their routes and the database's copy of their progress. */
public interface ChannelStore {

  /**
   * The database's copy of a channel's progress.
   *
   * @param cursor how far the channel has come, at least
   * @param record the last progress record copied back from the target, or {@code null}
   * @param era the channel's era
   * @param system the identifier of the cluster that wrote it
   * @param copies how often it was copied, so that a database that has lost a copy can be told
   */
  record Progress(Cursor cursor, @Nullable String record, int era, String system, long copies) {}

  /**
   * Creates the channel if it is new, and adds the patterns it lacks. A new channel receives what
   * becomes visible after it was created. Patterns that the database has beyond these stay, since
   * an older or newer deployment may need them.
   *
   * @param patterns topics, in which {@code *} stands for any characters
   * @return all patterns the channel now has
   */
  List<String> register(String channel, List<String> patterns);

  /**
   * Stops routing a pattern to a channel: publishers are refused from now on, and what they
   * recorded before is still delivered.
   *
   * @return false when the channel has no such pattern
   */
  boolean closeRoute(String channel, String pattern);

  List<String> names();

  /** Cheap: state alone. Empty when there is no such channel. */
  Optional<ChannelState> state(String channel);

  ChannelStatus status(String channel);

  /** Pauses or resumes, as an operator. */
  void setState(String channel, ChannelState state, String actor, @Nullable String reason);

  /** Stops a channel in the name of its leader. False when the lease has been lost. */
  boolean stop(Lease lease, String channel, String reason);

  Progress progress(String channel);

  /**
   * Copies progress back, in the name of the channel's leader, and counts that. Durable when this
   * returns.
   *
   * @return false when the lease has been lost; nothing is then written
   */
  boolean saveProgress(Lease lease, String channel, Cursor cursor, @Nullable String record);

  /**
   * Starts a new era of a channel: progress kept by its target is no longer believed and the
   * database's copy is. Whoever leads the channel is fenced. After a dump and restore, where
   * snapshots mean nothing any more, the cursor is set to the beginning of what the outbox still
   * holds.
   *
   * @return the new era
   */
  int reanchor(String channel, boolean fromBeginning, String actor);

  /**
   * Removes a channel that is no longer wanted, so that it does not hold what others have passed.
   * Without {@code discard} it must have no routes left, which a {@linkplain #closeRoute closed}
   * one is once all that was recorded under it has been delivered, and nothing parked. What it did
   * stays in the audit trail.
   *
   * @param discard whether what is not delivered or parked is given up
   * @throws dev.holdfast.HoldfastException when a relay leads it, or when something would be lost;
   *     nothing is then changed
   */
  void remove(String channel, boolean discard, String actor);
}
