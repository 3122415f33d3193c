package dev.holdfast.postgres.doctor;

import dev.holdfast.postgres.PostgresStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** The database under examination, in the transaction of one check. */
record Patient(
    DataSource dataSource,
    PostgresStore store,
    String schema,
    Connection connection,
    Limits limits,
    InstantSource clock) {

  /** A row of an answer. */
  @FunctionalInterface
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  <T> List<T> many(String sql, Row<T> reader, Object... parameters) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(sql.replace("${schema}", schema))) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      try (ResultSet rows = statement.executeQuery()) {
        List<T> result = new ArrayList<>();
        while (rows.next()) {
          result.add(reader.read(rows));
        }
        return result;
      }
    }
  }

  <T> T one(String sql, Row<T> reader, Object... parameters) throws SQLException {
    return many(sql, reader, parameters).get(0);
  }

  String setting(String name) throws SQLException {
    return one("select current_setting(?)", row -> row.getString(1), name);
  }

  /** Bounds every statement of the transaction. */
  void bound(Duration longest) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("set local statement_timeout = " + longest.toMillis());
      statement.execute("set local lock_timeout = " + longest.toMillis());
    }
  }

  /** A text as an SQL literal, to be pasted. */
  static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }

  /** A name as an SQL identifier, to be pasted. */
  static String identifier(String name) {
    return "\"" + name.replace("\"", "\"\"") + "\"";
  }

  /** Whole seconds, for people. */
  static String seconds(double seconds) {
    return Math.round(seconds) + " s";
  }
}
