package dev.holdfast.postgres.reconcile;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.HoldfastException;
import dev.holdfast.StoreUnavailable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/** Statements at one database, each in a transaction of its own. Thread-safe. */
record Sql(DataSource dataSource, Duration timeout) {
  /** Values are written as text alike, whatever the session's settings. */
  private static final String AS_TEXT =
      """
      set local datestyle = 'ISO, MDY'; set local timezone = 'UTC'; set local intervalstyle = 'postgres';
      set local bytea_output = 'hex'; set local extra_float_digits = 1; set local xmloption = 'content';
      """;

  private static final String READING =
      "set transaction isolation level read committed, read only; ";

  private static final String WRITING =
      "set transaction isolation level read committed, read write; set local synchronous_commit = on; ";

  /** Sets the parameters. */
  @FunctionalInterface
  interface Parameters {
    void bind(Connection connection, PreparedStatement statement) throws SQLException;
  }

  /** A row of a result. */
  @FunctionalInterface
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  <T> List<T> read(String sql, Parameters parameters, Row<T> row) throws SQLException {
    return run(READING, sql, parameters, row);
  }

  /** Commits when it has succeeded. */
  <T> List<T> write(String sql, Parameters parameters, Row<T> row) throws SQLException {
    return run(WRITING, sql, parameters, row);
  }

  private <T> List<T> run(String begin, String sql, Parameters parameters, Row<T> row)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        try (Statement statement = connection.createStatement()) {
          statement.execute(
              begin + "set local statement_timeout = " + timeout.toMillis() + "; " + AS_TEXT);
        }
        List<T> result = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
          parameters.bind(connection, statement);
          try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
              result.add(row.read(rows));
            }
          }
        }
        connection.commit();
        return result;
      } finally {
        if (!connection.isClosed()) {
          connection.rollback();
          connection.setAutoCommit(true);
        }
      }
    }
  }

  /** A name as SQL has it. */
  static String quoted(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  static String quoted(Collection<String> names) {
    return names.stream().map(Sql::quoted).collect(Collectors.joining(", "));
  }

  static String state(SQLException error) {
    return error.getSQLState() == null ? "" : error.getSQLState();
  }

  /** A value that does not fit, or a constraint: it is the row's own fault. */
  static boolean isOfTheRow(SQLException error) {
    String state = state(error);
    return state.startsWith("22") || state.startsWith("23");
  }

  HoldfastException failure(String doing, SQLException error) {
    String state = state(error);
    if (error instanceof SQLTransientConnectionException
        || state.startsWith("08")
        || state.startsWith("53")
        || state.startsWith("57P0")) {
      return new StoreUnavailable(
          "Could not %s: the database cannot be reached (%s). What was repaired before stays so."
              .formatted(doing, text(error)),
          error);
    }
    if (state.equals("57014")) {
      return new DatabaseFailure(
          "Could not %s within %s. What was repaired before stays so. Make the index that PostgresSide.index() prints, or allow more by timeout()."
              .formatted(doing, timeout),
          error);
    }
    return new DatabaseFailure(
        "Could not %s: the database answered SQLState %s (%s). What was repaired before stays so. Check the names and expressions of this side."
            .formatted(doing, state, text(error)),
        error);
  }

  /** In one line. */
  private static String text(SQLException error) {
    return String.valueOf(error.getMessage()).replaceAll("\\s*\n\\s*", "; ");
  }
}
