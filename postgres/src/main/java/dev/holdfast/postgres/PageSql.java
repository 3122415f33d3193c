package dev.holdfast.postgres;

/**
 * The queries for a page of the log; each is one string of several statements and one round trip.
 * They take no locks that conflict with writers, and run under READ COMMITTED, so that the snapshot
 * of the first page is its own.
 *
 * <p>There are two ways to keep a page within its bound of bytes. The exact one has the server add
 * up the sizes, which takes as long again as reading small rows does. The light one leaves out the
 * payloads that are larger than the bound's share for one row, and the page then ends before the
 * first of these.
 */
final class PageSql {
  /**
   * The planner has no statistics on what is newest. Generic plans keep the snapshots from being
   * folded in; the sequential scan is priced out; the first page goes by the xid index ({@code
   * position + 0}), the following by the primary key.
   */
  private static final String PLAN =
      "set local jit = off; set local plan_cache_mode = force_generic_plan;"
          + " set local max_parallel_workers_per_gather = 0; set local enable_seqscan = off; ";

  /** Enough to keep only the first page of a large window in memory while sorting it. */
  private static final String PLAN_FIRST = PLAN + "set local work_mem = '64MB'; ";

  private static final String PLAN_NEXT = PLAN + "set local enable_sort = off; ";

  /** Routes are read in the same snapshot, so that what was accepted under one is seen with it. */
  private static final String ROUTED =
      """
      (m.kind = 0 and m.topic like any (array(
         select r.like_pattern from ${schema}.route r where r.channel = ?))
       or m.kind <> 0 and m.topic = ?)
      """;

  private static final String FROM_FIRST =
      """
       from ${schema}.message m
       where (m.xid >= pg_snapshot_xmax(?) or m.xid = any (array(select pg_snapshot_xip(?)))) and
      """
          + ROUTED
          + " order by m.position + 0 limit ?";

  private static final String FROM_NEXT =
      """
       from ${schema}.message m
       where not pg_visible_in_snapshot(m.xid, ?) and pg_visible_in_snapshot(m.xid, ?)
         and m.position > ? and
      """
          + ROUTED
          + " order by m.position limit ?";

  private static final String EXACT_ROWS = "select m.kind, " + MessageRow.columns("m");

  /** With the size of the payload, and the payload if it is small enough. */
  private static final String LIGHT_ROWS =
      "select m.kind, octet_length(m.payload) as bytes, "
          + MessageRow.columns("m")
              .replace(
                  "m.payload",
                  "case when octet_length(m.payload) <= ? then m.payload end as payload");

  /** The rows before the byte bound is reached, and the one that reaches it. */
  private static final String BOUNDED =
      """
      (select p.*, coalesce(sum(octet_length(p.payload)) over (
                order by p.position rows between unbounded preceding and 1 preceding), 0) as bytes
       from (%s) p) b
      """;

  private static final String FIRST =
      """
      select w.window_end, w.insert_lsn, w.flushed, b.kind, b.bytes, %s from
        (select pg_current_snapshot()::text as window_end,
                pg_current_wal_insert_lsn()::text as insert_lsn,
                pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn() as flushed) w
      left join
      """
          .formatted(MessageRow.output("b"));

  private static final String NEXT = "select b.kind, b.bytes, " + MessageRow.output("b") + " from ";

  /** Parameters: twice the last snapshot, twice the channel, the bounds of rows and of bytes. */
  static final String FIRST_EXACT =
      PLAN_FIRST
          + FIRST
          + BOUNDED.formatted(EXACT_ROWS + FROM_FIRST)
          + " on b.bytes <= ? order by b.position";

  /** Parameters: the largest payload, twice the last snapshot, twice the channel, bound of rows. */
  static final String FIRST_LIGHT =
      PLAN_FIRST + FIRST + "(" + LIGHT_ROWS + FROM_FIRST + ") b on true order by b.position";

  /** Parameters: the window's snapshots, the position, twice the channel, the two bounds. */
  static final String NEXT_EXACT =
      PLAN_NEXT
          + NEXT
          + BOUNDED.formatted(EXACT_ROWS + FROM_NEXT)
          + " where b.bytes <= ? order by b.position";

  /** Parameters: the largest payload, the snapshots, the position, twice the channel, bound. */
  static final String NEXT_LIGHT =
      PLAN_NEXT + NEXT + "(" + LIGHT_ROWS + FROM_NEXT + ") b order by b.position";

  private PageSql() {}
}
