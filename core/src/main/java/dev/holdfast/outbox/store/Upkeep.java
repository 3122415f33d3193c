package dev.holdfast.outbox.store;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The work that keeps the tables small and delayed messages moving. */
public interface Upkeep {

  /**
   * Bounds and horizons of a store; shared by all processes. {@code null} leaves one as it is.
   *
   * @param retention how long a delivered message is kept at least
   * @param dedupeWindow how long a dedupe key is remembered at least
   * @param maxPayloadBytes the largest payload that is recorded
   */
  record Settings(
      @Nullable Duration retention,
      @Nullable Duration dedupeWindow,
      @Nullable Integer maxPayloadBytes) {}

  void configure(Settings settings);

  /**
   * Moves delayed messages that are due into the log.
   *
   * @return how many; {@code limit} when there are probably more
   */
  int moveDue(Lease lease, int limit);

  /** When the next delayed message is due, from now; {@code null} when there is none. */
  @Nullable Duration untilNextDue();

  /**
   * Empties segments that every channel has passed and whose retention is over, and moves writers
   * on to the next. Never waits for a lock.
   *
   * @return the segments emptied
   */
  int rotate(Lease lease);

  /**
   * Expires reservations that are due, moves what was given back to where it can be had, and
   * forgets what was resolved longer ago than it is kept. Never waits for a lock.
   *
   * @param limit the most of each, in one transaction
   * @return whether there is probably more
   */
  boolean tendReservations(Lease lease, int limit);
}
