package dev.holdfast.postgres;

import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.Page;
import dev.holdfast.outbox.store.StoreIdentity;
import dev.holdfast.postgres.Database.Untyped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Snapshot windows behind a flush fence.
 *
 * <p>A window is what the statement's own snapshot sees and the last one did not. Position alone
 * would lose messages, since commits do not come in the order of positions; waiting for the oldest
 * transaction would stall everybody. The snapshot, the first page and the fence share one
 * transaction, and so one backend: a crash of the server between them shows as an error.
 *
 * <p>Following pages run in later snapshots and see more; the two snapshots of the window, and the
 * position, cut that off again.
 */
final class PostgresLog implements OutboxLog {
  private static final String IDENTITY =
      """
      select s.store_id, p.era, (select system_identifier from pg_control_system())::text as system,
             ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint
               as timeline
      from ${schema}.store s, ${schema}.progress p where p.channel = ?
      """;

  private static final OutboxRecord.Kind[] KINDS = OutboxRecord.Kind.values();

  private final Database database;

  /** Channels among whose messages large ones were met lately. */
  private final Set<String> withLarge = ConcurrentHashMap.newKeySet();

  PostgresLog(Database database) {
    this.database = database;
  }

  @Override
  public Page read(String channel, Cursor after, Limit limit, boolean forceAdvance) {
    return database.onConnection(
        "read the outbox",
        connection ->
            after.to() == null
                ? first(connection, channel, after, limit, forceAdvance)
                : next(connection, channel, after, after.to(), limit));
  }

  private Page first(
      Connection connection, String channel, Cursor after, Limit limit, boolean forceAdvance)
      throws SQLException {
    Untyped last = new Untyped(after.from());
    int records = limit.records();
    Rows rows =
        rows(
            channel,
            limit,
            small ->
                database.prepare(
                    connection, PageSql.FIRST_LIGHT, small, last, last, channel, channel, records),
            () ->
                database.prepare(
                    connection,
                    PageSql.FIRST_EXACT,
                    last,
                    last,
                    channel,
                    channel,
                    records,
                    limit.bytes()),
            3);
    String end = Objects.requireNonNull(rows.windowEnd);
    boolean empty = rows.records.isEmpty();
    if (empty && !rows.flushed && !forceAdvance) {
      connection.commit();
      return new Page(List.of(), after, after);
    }
    if (!rows.flushed) {
      FlushFence.upTo(database, connection, Objects.requireNonNull(rows.insertLsn));
    }
    connection.commit();
    Cursor start = new Cursor(after.from(), end, 0, 0);
    return rows.page(empty ? after : start, end, limit);
  }

  private Page next(
      Connection connection, String channel, Cursor after, String windowEnd, Limit limit)
      throws SQLException {
    Untyped from = new Untyped(after.from());
    Untyped to = new Untyped(windowEnd);
    long position = after.position();
    int records = limit.records();
    Rows rows =
        rows(
            channel,
            limit,
            small ->
                database.prepare(
                    connection,
                    PageSql.NEXT_LIGHT,
                    small,
                    from,
                    to,
                    position,
                    channel,
                    channel,
                    records),
            () ->
                database.prepare(
                    connection,
                    PageSql.NEXT_EXACT,
                    from,
                    to,
                    position,
                    channel,
                    channel,
                    records,
                    limit.bytes()),
            0);
    connection.commit();
    return rows.page(after, windowEnd, limit);
  }

  /** Makes the statement that leaves out payloads larger than this. */
  @FunctionalInterface
  private interface Light {
    PreparedStatement prepare(int largest) throws SQLException;
  }

  @FunctionalInterface
  private interface Exact {
    PreparedStatement prepare() throws SQLException;
  }

  /**
   * The light way while payloads are small, and the exact one from a large one on, until a page has
   * none of them.
   *
   * @param before how many columns come before the kind
   */
  private Rows rows(String channel, Limit limit, Light light, Exact exact, int before)
      throws SQLException {
    int share = limit.bytes() / limit.records();
    if (!withLarge.contains(channel)) {
      try (PreparedStatement statement = light.prepare(share)) {
        Rows rows = Rows.read(statement, before, share);
        if (!rows.cutShort) {
          return rows;
        }
        withLarge.add(channel);
        if (!rows.records.isEmpty()) {
          return rows;
        }
      }
    }
    try (PreparedStatement statement = exact.prepare()) {
      Rows rows = Rows.read(statement, before, Integer.MAX_VALUE);
      if (!rows.records.isEmpty() && rows.largest <= share) {
        withLarge.remove(channel);
      }
      return rows;
    }
  }

  /** Skips the update counts of the statements before the query. */
  private static ResultSet firstResult(PreparedStatement statement) throws SQLException {
    boolean isResult = statement.execute();
    while (!isResult) {
      isResult = statement.getMoreResults();
    }
    return statement.getResultSet();
  }

  /** What a page's query brought. */
  private static final class Rows {
    private final MessageRow reader = new MessageRow();
    final List<OutboxRecord> records = new ArrayList<>();
    @Nullable String windowEnd;
    @Nullable String insertLsn;
    boolean flushed;

    /** Whether the next row is one whose payload was left out. */
    boolean cutShort;

    /** Of the payloads. */
    int largest;

    /** Of a page read the exact way: the payload bytes up to its last row, which is included. */
    private long bytes;

    /**
     * @param leftOut payloads larger than this are not there, and {@link #bytes} is a size
     */
    static Rows read(PreparedStatement statement, int before, int leftOut) throws SQLException {
      Rows rows = new Rows();
      ResultSet result = firstResult(statement);
      while (!rows.cutShort && result.next()) {
        if (before > 0 && rows.windowEnd == null) {
          rows.windowEnd = result.getString(1);
          rows.insertLsn = result.getString(2);
          rows.flushed = result.getBoolean(3);
        }
        int kind = result.getInt(before + 1);
        // An empty window has one row with nothing of a message.
        if (!result.wasNull()) {
          rows.add(result, before + 2, KINDS[kind], leftOut);
        }
      }
      return rows;
    }

    private void add(ResultSet row, int column, OutboxRecord.Kind kind, int leftOut)
        throws SQLException {
      long given = row.getLong(column);
      if (leftOut < Integer.MAX_VALUE && given > leftOut) {
        cutShort = true;
        return;
      }
      OutboxRecord record = reader.read(row, column + 1, kind);
      byte[] payload = record.payload();
      int size = payload == null ? 0 : payload.length;
      largest = Math.max(largest, size);
      bytes = leftOut < Integer.MAX_VALUE ? bytes + size : given + size;
      records.add(record);
    }

    /** The window goes on if the page is full, by number or by bytes. */
    Page page(Cursor start, String windowEnd, Limit limit) {
      if (records.isEmpty()) {
        return new Page(records, start, Cursor.at(windowEnd));
      }
      OutboxRecord last = records.get(records.size() - 1);
      boolean more = cutShort || records.size() == limit.records() || bytes > limit.bytes();
      Cursor end =
          more ? new Cursor(start.from(), windowEnd, last.position(), 0) : Cursor.at(windowEnd);
      return new Page(records, start, end);
    }
  }

  @Override
  public StoreIdentity identity(String channel) {
    return database.transact(
        "read the store's identity",
        connection ->
            database
                .one(
                    connection,
                    IDENTITY,
                    row ->
                        new StoreIdentity(
                            row.getObject("store_id", UUID.class),
                            row.getString("system"),
                            row.getLong("timeline"),
                            row.getInt("era")),
                    channel)
                .orElseThrow());
  }

  @Override
  public boolean isFromTheFuture(Cursor cursor) {
    return database.transact(
        "compare a cursor with the database",
        connection ->
            database
                .one(
                    connection,
                    "select pg_snapshot_xmax(?) > pg_snapshot_xmax(pg_current_snapshot())",
                    row -> row.getBoolean(1),
                    new Untyped(cursor.to() == null ? cursor.from() : cursor.to()))
                .orElseThrow());
  }
}
