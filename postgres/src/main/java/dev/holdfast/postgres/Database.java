package dev.holdfast.postgres;

import dev.holdfast.outbox.store.Lease;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Short transactions of Holdfast's own, and the statements in them. Thread-safe. */
final class Database {
  /**
   * How long one of these transactions may be left alone by its client before the server ends the
   * session. A host that dies between two statements would else keep the lease's row locked, and
   * every successor out, until the server's TCP gives the connection up, which may take hours.
   */
  static final Duration LEFT_ALONE_AT_MOST = Duration.ofSeconds(5);

  /** Isolation and durability whatever the session's defaults; one round trip with the BEGIN. */
  private static final String BEGIN =
      "set transaction isolation level read committed; set local synchronous_commit = on;"
          + " set local idle_in_transaction_session_timeout = "
          + LEFT_ALONE_AT_MOST.toMillis();

  private final DataSource dataSource;
  private final SchemaName schema;

  Database(DataSource dataSource, SchemaName schema) {
    this.dataSource = dataSource;
    this.schema = schema;
  }

  /** Work inside a transaction. */
  @FunctionalInterface
  interface Work<T extends @Nullable Object> {
    T run(Connection connection) throws SQLException;
  }

  /** Work inside a transaction that has no result. */
  @FunctionalInterface
  interface Writes {
    void run(Connection connection) throws SQLException;
  }

  /** A row of a result. */
  @FunctionalInterface
  interface Row<T extends @Nullable Object> {
    T read(ResultSet row) throws SQLException;
  }

  SchemaName schema() {
    return schema;
  }

  DataSource dataSource() {
    return dataSource;
  }

  /** Runs and commits; rolls back on any exception. */
  <T extends @Nullable Object> T transact(String doing, Work<T> work) {
    return onConnection(
        doing,
        connection -> {
          try (Statement statement = connection.createStatement()) {
            statement.execute(BEGIN);
          }
          T result = work.run(connection);
          connection.commit();
          return result;
        });
  }

  /**
   * One statement that is its own transaction, in one round trip: once it is sent the server
   * finishes it, whatever becomes of this process. Durability is the session's.
   */
  int updateAlone(String doing, String sql, @Nullable Object... parameters) {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(true);
      return update(connection, sql, parameters);
    } catch (SQLException e) {
      throw SqlErrors.translate(doing, e);
    }
  }

  /** As {@link #transact}, without a result. */
  void write(String doing, Writes work) {
    transact(
        doing,
        connection -> {
          work.run(connection);
          return Boolean.TRUE;
        });
  }

  /** A connection outside autocommit mode, which the work leaves committed or rolled back. */
  <T extends @Nullable Object> T onConnection(String doing, Work<T> work) {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        return work.run(connection);
      } finally {
        restore(connection);
      }
    } catch (SQLException e) {
      throw SqlErrors.translate(doing, e);
    }
  }

  private static void restore(Connection connection) throws SQLException {
    if (!connection.isClosed()) {
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  /**
   * Runs in the name of a lease: locks its row, which conflicts with the update of a takeover, and
   * does nothing when the epoch has moved on.
   */
  boolean fenced(String doing, Lease lease, Writes work) {
    return transact(
        doing,
        connection -> {
          if (!owns(connection, lease)) {
            return false;
          }
          work.run(connection);
          return true;
        });
  }

  /** Locks the lease's row for the rest of the transaction; false when it is not ours any more. */
  boolean owns(Connection connection, Lease lease) throws SQLException {
    return one(
            connection,
            "select 1 from ${schema}.lease where name = ? and owner = ? and epoch = ? for share",
            row -> 1,
            lease.name(),
            lease.owner(),
            lease.epoch())
        .isPresent();
  }

  int update(Connection connection, String sql, @Nullable Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = prepare(connection, sql, parameters)) {
      return statement.executeUpdate();
    }
  }

  void call(Connection connection, String sql, @Nullable Object... parameters) throws SQLException {
    try (PreparedStatement statement = prepare(connection, sql, parameters)) {
      statement.execute();
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
    PreparedStatement statement = connection.prepareStatement(schema.in(sql));
    for (int i = 0; i < parameters.length; i++) {
      if (parameters[i] instanceof Untyped untyped) {
        // The server infers the type, so that nothing is converted row by row.
        statement.setObject(i + 1, untyped.text(), Types.OTHER);
      } else {
        statement.setObject(i + 1, parameters[i]);
      }
    }
    return statement;
  }

  /** A parameter of a type that JDBC does not know, as text. */
  record Untyped(@Nullable String text) {}
}
