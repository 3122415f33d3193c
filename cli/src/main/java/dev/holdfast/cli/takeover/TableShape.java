package dev.holdfast.cli.takeover;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.InvalidConfiguration;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.sql.DataSource;

/**
 * An old table as it is in the database.
 *
 * @param name with its schema, quoted where SQL needs it
 * @param columns their types by their names
 */
record TableShape(String name, Map<String, String> columns) {
  private static final String COLUMNS =
      """
      select format('%I.%I', n.nspname, c.relname), c.relkind, a.attname, t.typname
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      where c.oid = to_regclass(?) order by a.attnum""";

  /**
   * @param given as SQL would write it
   * @throws InvalidConfiguration when there is no such table, or when it is partitioned or a view
   */
  static TableShape of(DataSource dataSource, String given) {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement select = connection.prepareStatement(COLUMNS)) {
      select.setString(1, given);
      Map<String, String> columns = new LinkedHashMap<>();
      String name = given;
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          name = row.getString(1);
          if (!row.getString(2).equals("r")) {
            throw new InvalidConfiguration(
                "%s is partitioned, or not a table, so nothing was done. Name each of its partitions with --table."
                    .formatted(name));
          }
          columns.put(row.getString(3), row.getString(4));
        }
      }
      if (columns.isEmpty()) {
        throw new InvalidConfiguration(
            "There is no table %s in this database, so nothing was done. Name it with --table, with its schema if that is not in the search path."
                .formatted(given));
      }
      return new TableShape(name, columns);
    } catch (SQLException e) {
      throw new DatabaseFailure(
          "Could not look at the table %s: SQLState %s (%s). Nothing was done."
              .formatted(given, e.getSQLState(), e.getMessage()),
          e);
    }
  }

  boolean has(String column) {
    return columns.containsKey(column);
  }

  /** Fails with what is missing, and what kind of table was expected. */
  void require(String kind, List<String> needed) {
    List<String> missing = needed.stream().filter(column -> !has(column)).toList();
    if (!missing.isEmpty()) {
      throw new InvalidConfiguration(
          "%s is no table of %s: it has no column %s. Nothing was done. Name the right one with --table."
              .formatted(name, kind, String.join(", ", missing)));
    }
  }

  /** The column of a row {@code r}. */
  String column(String column) {
    return "r." + identifier(column);
  }

  String text(String column) {
    return column(column) + "::text";
  }

  /** A row's id as a message's: itself, or a digest of what is no UUID. */
  String uuid(String column) {
    if (type(column).equals("uuid")) {
      return column(column);
    }
    String text = "btrim(" + text(column) + ")";
    return "case when %1$s ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then %1$s::uuid else md5(%1$s)::uuid end"
        .formatted(text);
  }

  /** A time, of a column with or without zone. */
  String time(String column) {
    return switch (type(column)) {
      case "timestamptz", "timestamp", "date" -> column(column) + "::timestamptz";
      default -> "null::timestamptz";
    };
  }

  /** What is in a column, as bytes. */
  String bytes(String column) {
    return type(column).equals("bytea")
        ? column(column)
        : "convert_to(%s, 'UTF8')".formatted(text(column));
  }

  String contentType(String column) {
    return type(column).equals("bytea") ? "'application/octet-stream'" : "'application/json'";
  }

  private String type(String column) {
    return String.valueOf(columns.get(column)).toLowerCase(Locale.ROOT);
  }

  static String identifier(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  static String literal(String text) {
    if (text.indexOf('\0') >= 0 || text.contains("$holdfast$") || text.contains("${")) {
      throw new InvalidConfiguration(
          "'%s' cannot be written into SQL here, so nothing was done. Choose another text."
              .formatted(text));
    }
    return "'" + text.replace("'", "''") + "'";
  }
}
