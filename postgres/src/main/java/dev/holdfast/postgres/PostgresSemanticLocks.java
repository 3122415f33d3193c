package dev.holdfast.postgres;

import dev.holdfast.reservation.LockResult;
import dev.holdfast.reservation.SemanticLock;
import dev.holdfast.reservation.store.SemanticLockStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Calls the functions of the migration {@code reservation}; a lock that is free has no row. */
final class PostgresSemanticLocks implements SemanticLockStore {
  private final Database database;

  PostgresSemanticLocks(Database database) {
    this.database = database;
  }

  @Override
  public LockResult acquire(
      Connection connection, String name, String owner, Duration forAtMost, String operationId)
      throws SQLException {
    PostgresReservations.requireTransaction(connection, "lock " + name);
    return database
        .<LockResult>one(
            connection,
            "select acquired, owner, token, expires_at from ${schema}.acquire_lock(?, ?, ?, ?)",
            row -> {
              String holder = row.getString("owner");
              Instant expiresAt = row.getTimestamp("expires_at").toInstant();
              return row.getBoolean("acquired")
                  ? new LockResult.Acquired(
                      new SemanticLock(name, holder, row.getLong("token"), expiresAt))
                  : new LockResult.HeldByOther(holder, expiresAt);
            },
            name,
            owner,
            forAtMost.toMillis(),
            operationId)
        .orElseThrow();
  }

  @Override
  public boolean require(Connection connection, SemanticLock lock) throws SQLException {
    PostgresReservations.requireTransaction(connection, "require the lock " + lock.name());
    return ask(connection, "select ${schema}.require_lock(?, ?, ?)", lock);
  }

  @Override
  public Optional<Instant> renew(Connection connection, SemanticLock lock, Duration forAtMost)
      throws SQLException {
    PostgresReservations.requireTransaction(connection, "renew the lock " + lock.name());
    return database
        .one(
            connection,
            "select ${schema}.renew_lock(?, ?, ?, ?)",
            row -> Optional.ofNullable(row.getTimestamp(1)).map(Timestamp::toInstant),
            lock.name(),
            lock.owner(),
            lock.token(),
            forAtMost.toMillis())
        .orElseThrow();
  }

  @Override
  public boolean release(Connection connection, SemanticLock lock) throws SQLException {
    PostgresReservations.requireTransaction(connection, "release the lock " + lock.name());
    return ask(connection, "select ${schema}.release_lock(?, ?, ?)", lock);
  }

  private boolean ask(Connection connection, String sql, SemanticLock lock) throws SQLException {
    return database
        .one(connection, sql, row -> row.getBoolean(1), lock.name(), lock.owner(), lock.token())
        .orElseThrow();
  }
}
