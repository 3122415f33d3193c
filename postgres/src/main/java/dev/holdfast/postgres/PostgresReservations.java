package dev.holdfast.postgres;

import dev.holdfast.NoTransaction;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReservationMismatch;
import dev.holdfast.reservation.ReservationRefused;
import dev.holdfast.reservation.ReservationState;
import dev.holdfast.reservation.ReserveResult;
import dev.holdfast.reservation.Resolved;
import dev.holdfast.reservation.store.ReservationStore;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Calls the functions of the migration {@code reservation}, where the protocol is; see decision 12.
 */
final class PostgresReservations implements ReservationStore {
  /** How many stocks are looked at in one transaction that folds. */
  private static final int STOCKS_AT_ONCE = 100;

  private final Database database;

  PostgresReservations(Database database) {
    this.database = database;
  }

  @Override
  public ReserveResult reserve(Connection connection, Reservation reservation, String operationId)
      throws SQLException {
    requireTransaction(connection, "reserve " + reservation.id());
    return database
        .one(
            connection,
            "select answer, state, expires_at, stock, available, first_operation"
                + " from ${schema}.reserve(?, ?, ?, ?, ?, ?)",
            row -> reserved(reservation, row),
            reservation.id(),
            names(reservation.quantities()),
            amounts(reservation.quantities()),
            reservation.holdFor().toMillis(),
            reservation.notAfter() == null ? null : Timestamp.from(reservation.notAfter()),
            operationId)
        .orElseThrow();
  }

  private static ReserveResult reserved(Reservation reservation, ResultSet row)
      throws SQLException {
    String answer = row.getString("answer");
    return switch (answer) {
      case "RESERVED", "REPEATED" ->
          new ReserveResult.Reserved(
              row.getTimestamp("expires_at").toInstant(), answer.equals("REPEATED"));
      case "INSUFFICIENT" ->
          new ReserveResult.Insufficient(row.getString("stock"), row.getLong("available"));
      case "RESOLVED" ->
          new ReserveResult.AlreadyResolved(ReservationState.valueOf(row.getString("state")));
      case "TOO_LATE" -> new ReserveResult.TooLate();
      case "OTHER" ->
          throw new ReservationMismatch(
              "Operation %s has reserved other quantities under the id %s, so nothing was reserved by this one. Choose an id of its own."
                  .formatted(row.getString("first_operation"), reservation.id()));
      case "UNKNOWN" ->
          throw new ReservationRefused(
              "There is no stock %s, so nothing of %s was reserved. Make it with setCapacity."
                  .formatted(row.getString("stock"), reservation.id()));
      default -> throw new IllegalStateException("reserve answered " + answer);
    };
  }

  @Override
  public Resolved confirm(
      Connection connection, String id, @Nullable Map<String, Long> quantities, String operationId)
      throws SQLException {
    return resolve(connection, id, true, quantities, operationId);
  }

  @Override
  public Resolved cancel(Connection connection, String id, String operationId) throws SQLException {
    return resolve(connection, id, false, null, operationId);
  }

  private Resolved resolve(
      Connection connection,
      String id,
      boolean confirms,
      @Nullable Map<String, Long> quantities,
      String operationId)
      throws SQLException {
    requireTransaction(connection, (confirms ? "confirm " : "cancel ") + id);
    return database
        .one(
            connection,
            "select answer, state, stocks, confirmed, resolved_by"
                + " from ${schema}.resolve_reservation(?, ?, ?, ?, ?)",
            row -> resolved(id, confirms, row),
            id,
            confirms,
            quantities == null ? null : names(quantities),
            quantities == null ? null : amounts(quantities),
            operationId)
        .orElseThrow();
  }

  private static Resolved resolved(String id, boolean confirms, ResultSet row) throws SQLException {
    String answer = row.getString("answer");
    ReservationState state =
        answer.equals("NONE")
            ? ReservationState.NONE
            : ReservationState.valueOf(row.getString("state"));
    Map<String, Long> confirmed = confirmed(row);
    return switch (answer) {
      case "DONE", "BEFORE", "NONE" ->
          new Resolved(
              id,
              state,
              answer.equals("DONE"),
              confirms
                  ? state == ReservationState.CONFIRMED
                  : state == ReservationState.CANCELLED || state == ReservationState.EXPIRED,
              confirmed,
              row.getString("resolved_by"));
      case "OTHER" ->
          throw new ReservationMismatch(
              "Of the reservation %s other quantities were confirmed before: %s, by operation %s. Nothing was changed."
                  .formatted(id, confirmed, row.getString("resolved_by")));
      case "TOO_MUCH" ->
          throw new ReservationRefused(
              "More is to be confirmed of the reservation %s than it holds, so it is still held. Confirm what it holds at most."
                  .formatted(id));
      default -> throw new IllegalStateException("resolve_reservation answered " + answer);
    };
  }

  private static Map<String, Long> confirmed(ResultSet row) throws SQLException {
    Map<String, Long> result = new TreeMap<>();
    java.sql.Array stocks = row.getArray("stocks");
    java.sql.Array confirmed = row.getArray("confirmed");
    if (stocks != null && confirmed != null) {
      String[] names = (String[]) stocks.getArray();
      Long[] amounts = (Long[]) confirmed.getArray();
      for (int i = 0; i < names.length; i++) {
        if (amounts[i] > 0) {
          result.put(names[i], amounts[i]);
        }
      }
    }
    return result;
  }

  @Override
  public ReservationState state(Connection connection, String id) throws SQLException {
    requireTransaction(connection, "look at " + id);
    return database
        .one(
            connection,
            """
            select case when state = 'HELD' and expires_at <= ${schema}.now() then 'EXPIRED'
                        else state end
            from ${schema}.reservation where id = ?
            """,
            row -> ReservationState.valueOf(row.getString(1)),
            id)
        .orElse(ReservationState.NONE);
  }

  @Override
  public OptionalLong setCapacity(
      Connection connection, String stock, long capacity, @Nullable Integer stripes)
      throws SQLException {
    return setStock(connection, stock, capacity, false, stripes);
  }

  @Override
  public OptionalLong addCapacity(Connection connection, String stock, long units)
      throws SQLException {
    return setStock(connection, stock, units, true, null);
  }

  private OptionalLong setStock(
      Connection connection, String stock, long capacity, boolean by, @Nullable Integer stripes)
      throws SQLException {
    requireTransaction(connection, "change the stock " + stock);
    return database
        .one(
            connection,
            "select ${schema}.set_stock(?, ?, ?, ?)",
            row -> optional(row.getObject(1, Long.class)),
            stock,
            capacity,
            by,
            stripes)
        .orElseThrow();
  }

  private static OptionalLong optional(@Nullable Long value) {
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }

  @Override
  public long available(Connection connection, String stock) throws SQLException {
    requireTransaction(connection, "look at the stock " + stock);
    return database
        .one(connection, "select ${schema}.count_stock(?)", row -> row.getLong(1), stock)
        .orElseThrow();
  }

  @Override
  public void keepFor(Duration retention) {
    database.write(
        "set how long resolved reservations are kept",
        connection ->
            database.update(
                connection,
                "update ${schema}.reservation_settings set retention_ms = ?",
                retention.toMillis()));
  }

  @Override
  public int expire(int limit) {
    return database.transact("expire reservations", connection -> expire(connection, limit));
  }

  @Override
  public int fold(int limit) {
    return database.transact("fold what was given back", connection -> fold(connection, limit));
  }

  @Override
  public int forget(int limit) {
    return database.transact("forget reservations", connection -> forget(connection, limit));
  }

  int expire(Connection connection, int limit) throws SQLException {
    return call(connection, "select ${schema}.expire_reservations(?)", limit);
  }

  int fold(Connection connection, int limit) throws SQLException {
    return call(connection, "select ${schema}.fold_stocks(?, ?)", STOCKS_AT_ONCE, limit);
  }

  int forget(Connection connection, int limit) throws SQLException {
    return call(connection, "select ${schema}.forget_reservations(?)", limit);
  }

  private int call(Connection connection, String sql, Object... parameters) throws SQLException {
    return database.one(connection, sql, row -> row.getInt(1), parameters).orElseThrow();
  }

  private static String[] names(Map<String, Long> quantities) {
    return new TreeMap<>(quantities).keySet().toArray(String[]::new);
  }

  private static Long[] amounts(Map<String, Long> quantities) {
    return new TreeMap<>(quantities)
        .values().stream().map(Objects::requireNonNull).toArray(Long[]::new);
  }

  static void requireTransaction(Connection connection, String what) throws SQLException {
    if (connection.getAutoCommit()) {
      throw new NoTransaction(
          "The connection is in autocommit mode, so that nothing was done: to "
              + what
              + " would be a commit of its own. Call setAutoCommit(false), or let Holdfast begin"
              + " the transaction.");
    }
  }
}
