package dev.holdfast.postgres;

import dev.holdfast.Isolation;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Begins the transactions of an operation across databases. Thread-safe. */
final class Branches {
  private record Session(boolean boundsLocks, String isolation) {}

  private static final String SESSION =
      """
      select current_setting('lock_timeout') <> '0',
             current_setting('default_transaction_isolation')
      """;

  /** What a session of the data source comes with, asked for once; null until then. */
  private volatile @Nullable Session session;

  /**
   * Costs a round trip where the session's defaults do not suit: it goes with the BEGIN, and still
   * one reply is waited for. That waits are bounded is checked again where it counts.
   */
  void begin(Connection connection, Isolation isolation, Duration lockTimeout) throws SQLException {
    Session known = session;
    if (known == null) {
      connection.setAutoCommit(true);
      known = look(connection);
      session = known;
    }
    connection.setAutoCommit(false);
    String wanted = isolation.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    String sql =
        (known.isolation().equals(wanted) ? "" : "set transaction isolation level " + wanted + "; ")
            + (known.boundsLocks()
                ? ""
                : "set local lock_timeout = " + Math.max(1, lockTimeout.toMillis()));
    if (!sql.isEmpty()) {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    }
  }

  /** Sessions were found to differ from the one that was asked: from now on all is set here. */
  void distrustDefaults() {
    session = new Session(false, "");
  }

  private static Session look(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(SESSION)) {
      rows.next();
      return new Session(rows.getBoolean(1), rows.getString(2));
    }
  }

  /** A transaction has an id once it has written something. */
  static boolean hasWritten(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery("select pg_current_xact_id_if_assigned() is not null")) {
      return rows.next() && rows.getBoolean(1);
    }
  }

  /** A lock that was not had in time counts: it may be a deadlock that no database sees. */
  static boolean isRetryable(SQLException error) {
    String state = SqlErrors.state(error);
    return SqlErrors.isRetryable(error)
        || state.equals(SqlErrors.LOCK_NOT_AVAILABLE)
        || state.equals(PostgresBranches.NO_LOCK_TIMEOUT);
  }
}
