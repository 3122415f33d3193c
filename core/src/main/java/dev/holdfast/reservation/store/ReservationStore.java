package dev.holdfast.reservation.store;

import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReservationState;
import dev.holdfast.reservation.ReserveResult;
import dev.holdfast.reservation.Resolved;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Reservations in a database. What has a connection is done in the caller's transaction, in one
 * round trip, as {@link dev.holdfast.reservation.Reservations} says, and throws {@link
 * dev.holdfast.NoTransaction} when there is none. Thread-safe.
 */
public interface ReservationStore {

  ReserveResult reserve(Connection connection, Reservation reservation, String operationId)
      throws SQLException;

  /**
   * @param quantities {@code null} for all that is held
   */
  Resolved confirm(
      Connection connection, String id, @Nullable Map<String, Long> quantities, String operationId)
      throws SQLException;

  Resolved cancel(Connection connection, String id, String operationId) throws SQLException;

  ReservationState state(Connection connection, String id) throws SQLException;

  /**
   * @return empty when more is held and confirmed
   */
  OptionalLong setCapacity(
      Connection connection, String stock, long capacity, @Nullable Integer stripes)
      throws SQLException;

  /**
   * @return empty when there is no such stock, or not as much is free
   */
  OptionalLong addCapacity(Connection connection, String stock, long units) throws SQLException;

  long available(Connection connection, String stock) throws SQLException;

  void keepFor(Duration retention);

  /**
   * Expires what is due, in a transaction of its own that waits for nobody. Any process may.
   *
   * @return how many; {@code limit} when there are probably more
   */
  int expire(int limit);

  /**
   * Moves what was given back to where it can be had without looking for it. As {@link #expire}.
   *
   * @return how many times something was given back
   */
  int fold(int limit);

  /** Forgets what was resolved longer ago than it is kept. As {@link #expire}. */
  int forget(int limit);
}
