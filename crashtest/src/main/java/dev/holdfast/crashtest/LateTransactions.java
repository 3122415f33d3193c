package dev.holdfast.crashtest;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;

/**
 * Transactions of somebody else that have recorded a message and are still open: they survive the
 * crash of the process under test, and commit when others have overtaken them.
 */
final class LateTransactions {
  /** By the key of the operation that they belong to; over the lives of a process. */
  private static final Map<String, Connection> OPEN = new ConcurrentHashMap<>();

  private LateTransactions() {}

  static void begin(String key, DataSource dataSource, Holdfast publisher, Message message)
      throws SQLException {
    Connection connection = dataSource.getConnection();
    connection.setAutoCommit(false);
    publisher.publish(connection, message);
    OPEN.put(key, connection);
  }

  static void commit(String key) throws SQLException {
    Connection connection = OPEN.remove(key);
    if (connection != null) {
      try (connection) {
        connection.commit();
      }
    }
  }

  /** Ends them all: what belongs to an operation that has happened commits, nothing else does. */
  static void endAll() throws SQLException {
    for (Map.Entry<String, Connection> open : Map.copyOf(OPEN).entrySet()) {
      if (hasHappened(open.getValue(), open.getKey())) {
        commit(open.getKey());
      } else {
        OPEN.remove(open.getKey());
        open.getValue().close();
      }
    }
  }

  private static boolean hasHappened(Connection connection, String key) throws SQLException {
    try (PreparedStatement query =
        connection.prepareStatement("select 1 from " + OutboxProcess.TABLE + " where id = ?")) {
      query.setString(1, key);
      return query.executeQuery().next();
    }
  }
}
