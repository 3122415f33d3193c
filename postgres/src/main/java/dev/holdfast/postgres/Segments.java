package dev.holdfast.postgres;

import dev.holdfast.outbox.store.Lease;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** The segments of rings, which are tables that are emptied whole. */
final class Segments {
  private final Database database;

  Segments(Database database) {
    this.database = database;
  }

  /** Whether there is a row in it. */
  boolean isUsed(Connection connection, String table) throws SQLException {
    return ask(connection, "select exists (select from ${schema}." + table + ")");
  }

  boolean ask(Connection connection, String sql) throws SQLException {
    return database.one(connection, sql, row -> row.getBoolean(1)).orElse(false);
  }

  /** As the other, of one table. */
  boolean emptyIf(Lease lease, List<String> locks, String table, Database.Work<Boolean> permitted) {
    return emptyIf(lease, locks, List.of(table), permitted);
  }

  /**
   * Empties tables under their exclusive lock, which is not waited for, if the lease still holds.
   *
   * @param locks statements that lock what else has to be, before
   * @param permitted asked when all locks are held
   * @return whether they were emptied
   */
  boolean emptyIf(
      Lease lease, List<String> locks, List<String> tables, Database.Work<Boolean> permitted) {
    String all = "${schema}." + String.join(", ${schema}.", tables);
    return database.transact(
        "empty " + tables,
        connection -> {
          if (!database.owns(connection, lease)) {
            return false;
          }
          try {
            for (String lock : locks) {
              database.call(connection, lock);
            }
            database.call(connection, "lock table " + all + " in access exclusive mode nowait");
          } catch (SQLException e) {
            if (SqlErrors.state(e).equals(SqlErrors.LOCK_NOT_AVAILABLE)) {
              connection.rollback();
              return false; // somebody uses it; the next turn tries again
            }
            throw e;
          }
          if (!permitted.run(connection)) {
            return false;
          }
          database.call(connection, "truncate " + all);
          return true;
        });
  }
}
