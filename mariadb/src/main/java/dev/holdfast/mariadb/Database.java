package dev.holdfast.mariadb;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Statements of Holdfast's own, each a transaction by itself unless it says otherwise. Thread-safe.
 */
final class Database {
  private final DataSource dataSource;
  private final TablePrefix prefix;

  Database(DataSource dataSource, TablePrefix prefix) {
    this.dataSource = dataSource;
    this.prefix = prefix;
  }

  /** What is done on a connection. */
  @FunctionalInterface
  interface Work<T extends @Nullable Object> {
    T run(Connection connection) throws SQLException;
  }

  /** A row of a result. */
  @FunctionalInterface
  interface Row<T extends @Nullable Object> {
    T read(ResultSet row) throws SQLException;
  }

  TablePrefix prefix() {
    return prefix;
  }

  Connection connect() throws SQLException {
    return dataSource.getConnection();
  }

  /** On a connection in autocommit mode. */
  <T extends @Nullable Object> T onConnection(String doing, Work<T> work) {
    try (Connection connection = connect()) {
      connection.setAutoCommit(true);
      return work.run(connection);
    } catch (SQLException e) {
      throw SqlErrors.translate(doing, e);
    }
  }

  /** Several statements as one transaction; rolled back on any exception. */
  <T extends @Nullable Object> T transact(String doing, Work<T> work) {
    return onConnection(
        doing,
        connection -> {
          connection.setAutoCommit(false);
          try {
            T result = work.run(connection);
            connection.commit();
            return result;
          } finally {
            if (!connection.isClosed()) {
              connection.rollback();
              connection.setAutoCommit(true);
            }
          }
        });
  }

  /** Runs a text as it is, but for the tables' names. */
  void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(prefix.in(sql));
    }
  }

  int update(Connection connection, String sql, @Nullable Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = prepare(connection, sql, parameters)) {
      return statement.executeUpdate();
    }
  }

  <T> Optional<T> one(
      Connection connection, String sql, Row<T> reader, @Nullable Object... parameters)
      throws SQLException {
    return many(connection, sql, reader, parameters).stream().findFirst();
  }

  <T> List<T> many(Connection connection, String sql, Row<T> reader, @Nullable Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = prepare(connection, sql, parameters);
        ResultSet rows = statement.executeQuery()) {
      List<T> result = new ArrayList<>();
      while (rows.next()) {
        result.add(reader.read(rows));
      }
      return result;
    }
  }

  PreparedStatement prepare(Connection connection, String sql, @Nullable Object... parameters)
      throws SQLException {
    PreparedStatement statement = connection.prepareStatement(prefix.in(sql));
    for (int i = 0; i < parameters.length; i++) {
      // Not every driver sends a UUID as the text that our columns hold.
      Object value = parameters[i] instanceof UUID uuid ? uuid.toString() : parameters[i];
      statement.setObject(i + 1, value);
    }
    return statement;
  }

  /**
   * Flushes, by a commit of its own, what was committed before: a row can be seen a moment before
   * its commit is on the disk.
   */
  void flush(Connection connection) throws SQLException {
    update(connection, "update ${prefix}_identity set flushes = flushes + 1 where one = 1");
  }
}
