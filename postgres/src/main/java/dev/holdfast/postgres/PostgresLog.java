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
import java.util.UUID;
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
  /**
   * The planner has no statistics on what is newest. Generic plans keep the snapshots from being
   * folded in; the sequential scan is priced out; the first page goes by the xid index ({@code
   * position + 0}), the following by the primary key.
   */
  private static final String PLAN =
      "set local jit = off; set local plan_cache_mode = force_generic_plan;"
          + " set local max_parallel_workers_per_gather = 0; set local enable_seqscan = off; ";

  /** Routes are read in the same snapshot, so that what was accepted under one is seen with it. */
  private static final String ROUTED =
      """
      (m.kind = 0 and m.topic like any (array(
         select r.like_pattern from ${schema}.route r where r.channel = ?))
       or m.kind <> 0 and m.topic = ?)
      """;

  /** The rows before the byte bound is reached, and the one that reaches it. */
  private static final String BOUNDED =
      """
      (select p.*, coalesce(sum(octet_length(p.payload)) over (
                order by p.position rows between unbounded preceding and 1 preceding), 0) as before
       from (%s) p) b
      """;

  /** Takes no locks that conflict with writers; READ COMMITTED, so that the snapshot is its own. */
  private static final String FIRST =
      PLAN
          // Enough to keep only the first page of a large window in memory while sorting it.
          + """
          set local work_mem = '64MB';
          select w.window_end, w.insert_lsn, w.flushed, b.kind, b.before, %s from
            (select pg_current_snapshot()::text as window_end,
                    pg_current_wal_insert_lsn()::text as insert_lsn,
                    pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn() as flushed) w
          left join
          """
              .formatted(MessageRow.output("b"))
          + BOUNDED.formatted(
              "select m.kind, "
                  + MessageRow.columns("m")
                  + """
                   from ${schema}.message m
                  where (m.xid >= pg_snapshot_xmax(?)
                         or m.xid = any (array(select pg_snapshot_xip(?)))) and
                  """
                  + ROUTED
                  + " order by m.position + 0 limit ?")
          + " on b.before <= ? order by b.position";

  private static final String NEXT =
      PLAN
          + "set local enable_sort = off; select b.kind, b.before, "
          + MessageRow.output("b")
          + " from "
          + BOUNDED.formatted(
              "select m.kind, "
                  + MessageRow.columns("m")
                  + """
                   from ${schema}.message m
                  where not pg_visible_in_snapshot(m.xid, ?)
                    and pg_visible_in_snapshot(m.xid, ?)
                    and m.position > ? and
                  """
                  + ROUTED
                  + " order by m.position limit ?")
          + " where b.before <= ? order by b.position";

  /** Forces the log out up to the snapshot, if it is not; needs no transaction id from 17 on. */
  private static final String FENCE_17 =
      """
      select case when pg_current_wal_flush_lsn() >= ? then null
                  else pg_logical_emit_message(false, 'holdfast', '', true) end
      """;

  /** Before 17: a forced commit behind the snapshot, which the caller's commit then is. */
  private static final String FENCE_BEFORE_17 =
      """
      select case when pg_current_wal_flush_lsn() >= ? then null
                  else pg_logical_emit_message(true, 'holdfast', '') end
      """;

  private static final String IDENTITY =
      """
      select s.store_id, p.era, (select system_identifier from pg_control_system())::text as system,
             ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint
               as timeline
      from ${schema}.store s, ${schema}.progress p where p.channel = ?
      """;

  private static final OutboxRecord.Kind[] KINDS = OutboxRecord.Kind.values();

  private final Database database;

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
    Rows rows = new Rows();
    try (PreparedStatement statement =
        database.prepare(
            connection, FIRST, last, last, channel, channel, limit.records(), limit.bytes())) {
      ResultSet result = firstResult(statement);
      while (result.next()) {
        if (rows.windowEnd == null) {
          rows.windowEnd = result.getString(1);
          rows.insertLsn = result.getString(2);
          rows.flushed = result.getBoolean(3);
        }
        int kind = result.getInt(4);
        if (!result.wasNull()) {
          rows.add(result, 5, kind);
        }
      }
    }
    String end = Objects.requireNonNull(rows.windowEnd);
    boolean empty = rows.records.isEmpty();
    if (empty && !rows.flushed && !forceAdvance) {
      connection.commit();
      return new Page(List.of(), after, after);
    }
    if (!rows.flushed) {
      fence(connection, Objects.requireNonNull(rows.insertLsn));
    }
    connection.commit();
    Cursor start = new Cursor(after.from(), end, 0, 0);
    return rows.page(empty ? after : start, end, limit);
  }

  private void fence(Connection connection, String insertLsn) throws SQLException {
    boolean flushes = connection.getMetaData().getDatabaseMajorVersion() >= 17;
    if (!flushes) {
      database.call(connection, "set local synchronous_commit = on");
    }
    database.call(connection, flushes ? FENCE_17 : FENCE_BEFORE_17, new Untyped(insertLsn));
  }

  private Page next(
      Connection connection, String channel, Cursor after, String windowEnd, Limit limit)
      throws SQLException {
    Rows rows = new Rows();
    try (PreparedStatement statement =
        database.prepare(
            connection,
            NEXT,
            new Untyped(after.from()),
            new Untyped(windowEnd),
            after.position(),
            channel,
            channel,
            limit.records(),
            limit.bytes())) {
      ResultSet result = firstResult(statement);
      while (result.next()) {
        rows.add(result, 2, result.getInt(1));
      }
    }
    connection.commit();
    return rows.page(after, windowEnd, limit);
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
    final List<OutboxRecord> records = new ArrayList<>();
    @Nullable String windowEnd;
    @Nullable String insertLsn;
    boolean flushed;
    private long before;

    /** Adds a row, of which the columns from {@code column} on are the bytes before it and it. */
    void add(ResultSet row, int column, int kind) throws SQLException {
      before = row.getLong(column);
      records.add(MessageRow.read(row, column + 1, KINDS[kind]));
    }

    /** The window goes on if the page is full, by number or by bytes. */
    Page page(Cursor start, String windowEnd, Limit limit) {
      if (records.isEmpty()) {
        return new Page(records, start, Cursor.at(windowEnd));
      }
      OutboxRecord last = records.get(records.size() - 1);
      int size = last.payload() == null ? 0 : last.payload().length;
      boolean more = records.size() == limit.records() || before + size > limit.bytes();
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
