package dev.holdfast.postgres.reconcile;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.reconcile.Side;
import dev.holdfast.reconcile.SideSession;
import dev.holdfast.reconcile.Versions;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A table or a view of PostgreSQL 14 or later as one side. Immutable and thread-safe.
 *
 * <p>Counts and sums are computed by the database. Without the index that {@link #index} prints
 * each of three to five steps of a run reads the table once; with it, all but the first read what
 * differs. Each statement is a short read-only transaction of its own, which may go to a standby; a
 * standby that is behind by more than the settle window shows as drift.
 *
 * <p>Names of tables and columns are quoted. What is called an expression here is SQL that is used
 * as it is: never take one from somebody whom you would not give the database's password.
 *
 * <p>The database's encoding must be UTF8. Rows whose key is null are left out.
 */
public final class PostgresSide implements Side {
  private final DataSource dataSource;
  private final String schema;
  private final String table;
  private final @Nullable String keyColumn;
  private final String key;
  private final String version;
  private final Versions versions;
  private final @Nullable String changedAt;
  private final @Nullable String where;
  private final Duration timeout;

  private PostgresSide(Draft draft) {
    dataSource = draft.dataSource;
    schema = draft.schema;
    table = draft.table;
    keyColumn = draft.keyColumn;
    key = draft.key;
    version = draft.version;
    versions = draft.versions;
    changedAt = draft.changedAt;
    where = draft.where;
    timeout = draft.timeout;
  }

  /** What a copy with one thing changed is made of. */
  private static final class Draft {
    DataSource dataSource;
    String schema;
    String table;
    @Nullable String keyColumn;
    String key;
    String version;
    Versions versions;
    @Nullable String changedAt;
    @Nullable String where;
    Duration timeout;

    Draft(DataSource dataSource, String schema, String table) {
      this.dataSource = dataSource;
      this.schema = schema;
      this.table = table;
      keyColumn = "id";
      key = Sql.quoted("id");
      version = whole(Sql.quoted("version"));
      versions = Versions.NUMBERS;
      timeout = Duration.ofMinutes(10);
    }

    Draft(PostgresSide side) {
      dataSource = side.dataSource;
      schema = side.schema;
      table = side.table;
      keyColumn = side.keyColumn;
      key = side.key;
      version = side.version;
      versions = side.versions;
      changedAt = side.changedAt;
      where = side.where;
      timeout = side.timeout;
    }
  }

  private static String whole(String expression) {
    return "(" + expression + ")::bigint";
  }

  /** A table with the columns {@code id} and {@code version}, unless told otherwise. */
  public static PostgresSide table(DataSource dataSource, String schema, String table) {
    return new PostgresSide(new Draft(dataSource, schema, table));
  }

  /** The column of the key; default {@code id}. */
  public PostgresSide key(String column) {
    Draft draft = new Draft(this);
    draft.keyColumn = column;
    draft.key = Sql.quoted(column);
    return new PostgresSide(draft);
  }

  /**
   * The key as an expression over the table's columns. Without an index on the {@linkplain #index
   * hash}, keys are read again by reading the whole table; such a side is not repaired.
   */
  public PostgresSide keyExpression(String sql) {
    Draft draft = new Draft(this);
    draft.keyColumn = null;
    draft.key = "(" + sql + ")";
    return new PostgresSide(draft);
  }

  /** The column with a whole number that rises with every change; default {@code version}. */
  public PostgresSide version(String column) {
    return versionExpression(Sql.quoted(column));
  }

  /** The same number as an expression. */
  public PostgresSide versionExpression(String sql) {
    Draft draft = new Draft(this);
    draft.version = whole(sql);
    draft.versions = Versions.NUMBERS;
    return new PostgresSide(draft);
  }

  /**
   * Compares the content of columns instead of a version: a hash of their text, in this order. The
   * other side's columns have the same types, or are brought to the same text by {@link
   * #contentExpression}.
   */
  public PostgresSide content(String... columns) {
    if (columns.length == 0) {
      throw new InvalidConfiguration(
          "The content of %s is to be compared, and no column is named. Nothing was started."
              .formatted(description()));
    }
    return contentExpression("md5(row(" + Sql.quoted(List.of(columns)) + ")::text)");
  }

  /** As {@link #content}, by an expression that is equal exactly where the content is. */
  public PostgresSide contentExpression(String sql) {
    Draft draft = new Draft(this);
    draft.version = "(" + sql + ")";
    draft.versions = Versions.OPAQUE;
    return new PostgresSide(draft);
  }

  /**
   * The column with the time at which the source changed the row, by its database's clock; at the
   * derived side, a copy of it. With it, rows of the settle window are left out of what is compared
   * where both sides have it, and the age of a difference is known.
   */
  public PostgresSide changedAt(String column) {
    Draft draft = new Draft(this);
    draft.changedAt = Sql.quoted(column);
    return new PostgresSide(draft);
  }

  /** Which rows there are, as an expression; all by default. */
  public PostgresSide where(String sql) {
    Draft draft = new Draft(this);
    draft.where = sql;
    return new PostgresSide(draft);
  }

  /** How long a statement may take; 1 s to 6 h, default 10 min. */
  public PostgresSide timeout(Duration value) {
    if (value.compareTo(Duration.ofSeconds(1)) < 0 || value.compareTo(Duration.ofHours(6)) > 0) {
      throw new InvalidConfiguration(
          "The timeout of %s is %s, and must be PT1S to PT6H. Nothing was started."
              .formatted(description(), value));
    }
    Draft draft = new Draft(this);
    draft.timeout = value;
    return new PostgresSide(draft);
  }

  /**
   * The statement that makes the index by which ranges are found. The key's text must not depend on
   * settings, as that of a time does.
   */
  public String index() {
    return "create index concurrently on %s ((%s))".formatted(sql().relation(), sql().point());
  }

  /**
   * The rows of keys as they are now, with columns of them: what a repair of something that is no
   * table writes there.
   *
   * @param columns one at least
   * @throws dev.holdfast.HoldfastException when the table cannot be read
   */
  public List<PostgresRow> rows(Collection<String> keys, List<String> columns) {
    if (columns.isEmpty()) {
      throw new InvalidConfiguration(
          "Rows of %s are to be read, and no column is named. Nothing was read."
              .formatted(description()));
    }
    return PostgresSession.open(this).readRows(keys, Sql.quoted(columns));
  }

  RangeSql sql() {
    return new RangeSql(
        Sql.quoted(schema) + "." + Sql.quoted(table),
        "(" + key + ")::text",
        "coalesce((" + version + ")::text, '')",
        changedAt == null ? "null::timestamptz" : "(" + changedAt + ")::timestamptz",
        changedAt != null,
        where == null ? "true" : "(" + where + ")");
  }

  Sql database() {
    return new Sql(dataSource, timeout);
  }

  String schema() {
    return schema;
  }

  String tableName() {
    return table;
  }

  @Nullable String keyColumn() {
    return keyColumn;
  }

  @Override
  public String description() {
    return "table " + schema + "." + table;
  }

  @Override
  public Versions versions() {
    return versions;
  }

  @Override
  public boolean knowsChanges() {
    return changedAt != null;
  }

  @Override
  public SideSession open() {
    return PostgresSession.open(this);
  }

  @Override
  public String toString() {
    return description();
  }
}
