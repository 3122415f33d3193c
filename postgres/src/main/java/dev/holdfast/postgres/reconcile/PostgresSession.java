package dev.holdfast.postgres.reconcile;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.reconcile.Entry;
import dev.holdfast.reconcile.HashRange;
import dev.holdfast.reconcile.Hashes;
import dev.holdfast.reconcile.SideSession;
import dev.holdfast.reconcile.Summary;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Asks one table. Thread-safe, since a repair asks, too. */
final class PostgresSession implements SideSession {
  private static final Pattern BY_POINT = Pattern.compile("\"Index Cond\": \"[^\"]*md5\\(");

  private final PostgresSide side;
  private final Sql database;
  private final RangeSql sql;
  private final boolean indexed;
  private final @Nullable String keyType;

  private PostgresSession(PostgresSide side, boolean indexed, @Nullable String keyType) {
    this.side = side;
    this.database = side.database();
    this.sql = side.sql();
    this.indexed = indexed;
    this.keyType = keyType;
  }

  static PostgresSession open(PostgresSide side) {
    Sql database = side.database();
    try {
      String encoding = one(database, "select current_setting('server_encoding')");
      if (!encoding.equals("UTF8")) {
        throw new InvalidConfiguration(
            "The database of %s is encoded in %s, and hashes of text are those of UTF8 alone. Nothing was compared."
                .formatted(side, encoding));
      }
      String plan = one(database, side.sql().explain());
      return new PostgresSession(side, BY_POINT.matcher(plan).find(), keyType(side, database));
    } catch (SQLException e) {
      throw database.failure("look at " + side, e);
    }
  }

  private static String one(Sql database, String sql) throws SQLException {
    return database.read(sql, (connection, statement) -> {}, row -> row.getString(1)).get(0);
  }

  private static @Nullable String keyType(PostgresSide side, Sql database) throws SQLException {
    String column = side.keyColumn();
    if (column == null) {
      return null;
    }
    // Without its length: a cast to it would cut keys off.
    List<String> types =
        database.read(
            """
            select format_type(a.atttypid, null) from pg_attribute a
            where a.attrelid = ?::regclass and a.attname = ? and a.attnum > 0 and not a.attisdropped
            """,
            (connection, statement) -> {
              statement.setString(1, side.sql().relation());
              statement.setString(2, column);
            },
            row -> row.getString(1));
    return types.isEmpty() ? null : types.get(0);
  }

  PostgresSide side() {
    return side;
  }

  /** Whether ranges are found by an index. */
  boolean isIndexed() {
    return indexed;
  }

  @Nullable String keyType() {
    return keyType;
  }

  @Override
  public Instant now() {
    try {
      return database
          .read(
              "select clock_timestamp()",
              (connection, statement) -> {},
              row -> row.getObject(1, OffsetDateTime.class).toInstant())
          .get(0);
    } catch (SQLException e) {
      throw database.failure("ask the database of " + side + " for the time", e);
    }
  }

  @Override
  public List<Summary> summarize(
      List<HashRange> ranges, int parts, @Nullable Instant changedBefore) {
    long rangeWidth = ranges.get(0).width();
    long partWidth = rangeWidth / parts;
    boolean cutOff = changedBefore != null && sql.knowsChanges();
    boolean byIndex = byIndex(ranges);
    Map<Long, Summary> found = new HashMap<>();
    try {
      database.read(
          byIndex
              ? sql.sumsByIndex(cutOff, partWidth, rangeWidth)
              : sql.sums(cutOff, partWidth, rangeWidth),
          asked(ranges, byIndex, cutOff ? changedBefore : null, 0),
          // The sum is exact, and may be longer than 64 bits: modulo 2^64 as everywhere.
          row ->
              found.put(
                  row.getLong(1),
                  new Summary(
                      row.getLong(2), row.getBigDecimal(3).toBigIntegerExact().longValue())));
    } catch (SQLException e) {
      throw database.failure("sum up " + side, e);
    }
    List<Summary> result = new ArrayList<>(ranges.size() * parts);
    for (HashRange range : ranges) {
      for (int part = 0; part < parts; part++) {
        result.add(found.getOrDefault(range.from() / partWidth + part, Summary.NONE));
      }
    }
    return result;
  }

  /** More than an eighth of the table is read faster as it lies. */
  private boolean byIndex(List<HashRange> ranges) {
    long asked = ranges.size() * ranges.get(0).width();
    return indexed && asked <= HashRange.ALL.width() / 8;
  }

  private Sql.Parameters asked(
      List<HashRange> ranges, boolean byIndex, @Nullable Instant before, int atMost) {
    Long[] starts =
        ranges.stream()
            .map(range -> byIndex ? range.from() : range.from() / range.width())
            .toArray(Long[]::new);
    return (connection, statement) -> {
      int next = 1;
      if (byIndex) {
        statement.setArray(next++, connection.createArrayOf("bigint", starts));
      }
      if (before != null) {
        statement.setObject(next++, before.atOffset(ZoneOffset.UTC));
      }
      if (!byIndex) {
        statement.setArray(next++, connection.createArrayOf("bigint", starts));
      }
      if (atMost > 0) {
        statement.setInt(next, atMost);
      }
    };
  }

  @Override
  public List<Entry> list(List<HashRange> ranges, @Nullable Instant changedBefore, int atMost) {
    long width = ranges.get(0).width();
    boolean cutOff = changedBefore != null && sql.knowsChanges();
    boolean byIndex = byIndex(ranges);
    try {
      return database.read(
          byIndex ? sql.listByIndex(cutOff, width) : sql.list(cutOff, width),
          asked(ranges, byIndex, cutOff ? changedBefore : null, atMost),
          PostgresSession::entry);
    } catch (SQLException e) {
      throw database.failure("list rows of " + side, e);
    }
  }

  private static Entry entry(ResultSet row) throws SQLException {
    OffsetDateTime changedAt = row.getObject(3, OffsetDateTime.class);
    return new Entry(
        row.getString(1), row.getString(2), changedAt == null ? null : changedAt.toInstant());
  }

  @Override
  public List<Entry> read(List<String> keys) {
    Set<String> asked = new HashSet<>(keys);
    return byKeys(keys, sql::read, PostgresSession::entry).stream()
        .filter(entry -> asked.contains(entry.key()))
        .toList();
  }

  /** The rows of keys with columns, which are quoted. */
  List<PostgresRow> readRows(Collection<String> keys, String columns) {
    Set<String> asked = new HashSet<>(keys);
    return byKeys(
            keys,
            condition -> sql.readRows(condition, columns),
            row -> new PostgresRow(entry(row), row.getString(4)))
        .stream()
        .filter(found -> asked.contains(found.entry().key()))
        .toList();
  }

  /** By the column's own index where it has one; a key of the other side may be no value of it. */
  private <T> List<T> byKeys(
      Collection<String> keys, java.util.function.UnaryOperator<String> select, Sql.Row<T> row) {
    String column = side.keyColumn();
    try {
      if (column != null && keyType != null) {
        try {
          return database.read(
              select.apply("%s = any(?::text[]::%s[])".formatted(Sql.quoted(column), keyType)),
              (connection, statement) ->
                  statement.setArray(1, connection.createArrayOf("text", keys.toArray())),
              row);
        } catch (SQLException e) {
          if (!Sql.state(e).startsWith("22")) {
            throw e;
          }
        }
      }
      Long[] points = keys.stream().map(Hashes::point).toArray(Long[]::new);
      return database.read(
          select.apply("%s = any(?) and %s = any(?)".formatted(sql.point(), sql.key())),
          (connection, statement) -> {
            statement.setArray(1, connection.createArrayOf("bigint", points));
            statement.setArray(2, connection.createArrayOf("text", keys.toArray()));
          },
          row);
    } catch (SQLException e) {
      throw database.failure("read rows of " + side, e);
    }
  }

  @Override
  public void close() {
    // Every statement has given its connection back.
  }
}
