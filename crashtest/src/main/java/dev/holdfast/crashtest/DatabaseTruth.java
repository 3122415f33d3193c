package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Problem;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A database, asked on a connection of the lab's own. */
final class DatabaseTruth implements Truth {

  /** Where that connection comes from. */
  interface Source {
    Connection connect() throws SQLException;
  }

  private Source source;
  private final Map<String, String> keyColumns = new HashMap<>();
  private @Nullable Connection connection;

  DatabaseTruth(Source source) {
    this.source = source;
  }

  /** From now on connects there; keeps the connection that it has. */
  void use(Source latest) {
    source = latest;
  }

  @Override
  public void begin() {
    // Keys are new in every run.
  }

  @Override
  public void lookAnew() {
    close();
  }

  @Override
  public Duration delay() {
    return Duration.ZERO;
  }

  /** The key column's value of each row with this key, as text. */
  List<String> rows(String table, @Nullable String column, String key) {
    try {
      Connection current = connection();
      String keyColumn = column == null ? primaryKey(current, table) : column;
      // The type of the key is the table's business.
      String sql =
          "select %s from %s where cast(%s as varchar(1000)) = ?"
              .formatted(keyColumn, table, keyColumn);
      try (PreparedStatement statement = current.prepareStatement(sql)) {
        statement.setString(1, key);
        List<String> values = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            values.add(String.valueOf(rows.getString(1)));
          }
        }
        return values;
      }
    } catch (SQLException e) {
      close();
      throw new CrashLabException(
          Problem.Kind.CANNOT_LOOK,
          "The rows of %s with key %s cannot be counted, so the run says nothing: %s"
              .formatted(table, key, e.getMessage()),
          e);
    }
  }

  private Connection connection() throws SQLException {
    Connection current = connection;
    if (current == null || current.isClosed()) {
      current = source.connect();
      current.setAutoCommit(true);
      connection = current;
    }
    return current;
  }

  private String primaryKey(Connection current, String table) throws SQLException {
    String known = keyColumns.get(table);
    if (known != null) {
      return known;
    }
    int dot = table.indexOf('.');
    String schema = dot < 0 ? current.getSchema() : table.substring(0, dot);
    List<String> columns = new ArrayList<>();
    try (ResultSet keys =
        current.getMetaData().getPrimaryKeys(null, schema, table.substring(dot + 1))) {
      while (keys.next()) {
        columns.add(String.valueOf(keys.getString("COLUMN_NAME")));
      }
    }
    if (columns.size() != 1) {
      throw new CrashLabException(
          Problem.Kind.INCOMPLETE_SCENARIO,
          "Table %s has no primary key of one column (%s). Name the column that holds the key: byKey(\"column\")."
              .formatted(table, columns));
    }
    keyColumns.put(table, columns.get(0));
    return columns.get(0);
  }

  @Override
  public void close() {
    Connection current = connection;
    connection = null;
    if (current != null) {
      try {
        current.close();
      } catch (SQLException e) {
        // Asked of nothing any more.
      }
    }
  }
}
