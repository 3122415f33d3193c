package dev.holdfast.postgres;

import dev.holdfast.postgres.Database.Untyped;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * Forces the write-ahead log out up to what a transaction has seen, unless it is: what may be taken
 * back by a crash is not believed. Before version 17 it is the caller's commit that is forced, so
 * that nothing is believed before that.
 */
final class FlushFence {
  /** Needs no transaction id from 17 on. */
  private static final String SINCE_17 =
      """
      select case when pg_current_wal_flush_lsn() >= ? then null
                  else pg_logical_emit_message(false, 'holdfast', '', true) end
      """;

  /** A forced commit behind what was seen. */
  private static final String BEFORE_17 =
      """
      select case when pg_current_wal_flush_lsn() >= ? then null
                  else pg_logical_emit_message(true, 'holdfast', '') end
      """;

  private FlushFence() {}

  /**
   * @param lsn the insert position of the log, read on this session behind what was seen
   */
  static void upTo(Database database, Connection connection, String lsn) throws SQLException {
    force(database, connection, new Untyped(lsn));
  }

  private static void force(Database database, Connection connection, Untyped lsn)
      throws SQLException {
    boolean flushes = connection.getMetaData().getDatabaseMajorVersion() >= 17;
    if (!flushes) {
      database.call(connection, "set local synchronous_commit = on");
    }
    database.call(connection, flushes ? SINCE_17 : BEFORE_17, lsn);
  }

  /** Up to all that was seen before. */
  static void upToNow(Database database, Connection connection) throws SQLException {
    String lsn =
        database
            .one(connection, "select pg_current_wal_insert_lsn()", row -> row.getString(1))
            .orElseThrow();
    upTo(database, connection, lsn);
  }
}
