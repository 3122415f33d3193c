package dev.holdfast.postgres;

import dev.holdfast.postgres.OldTable.OnInsert;
import dev.holdfast.postgres.OldTable.Part;

/** The statements of a {@link Takeover} of one table. */
final class TakeoverSql {
  static final String TRIGGER = "holdfast_takeover";

  /**
   * What {@code publish_bytes} checks too; a batch is checked before it is marked. Without a
   * bounded repetition in the regular expression, which costs fifty times as much.
   */
  private static final String PUBLISHABLE =
      """
      (m.id is not null and length(m.topic) between 1 and 249 and m.topic !~ '[^A-Za-z0-9._-]'
       and (m.key is null or length(m.key) <= 512) and length(m.type) <= 255
       and (m.dedupe_key is null or length(m.dedupe_key) <= 512))""";

  private final OldTable table;

  TakeoverSql(OldTable table) {
    this.table = table;
  }

  /**
   * Excludes whoever inserts, updates or locks rows, so that no row is in anybody's hands; readers
   * go on. Held to the end of the transaction.
   */
  String lock() {
    return "lock table %s in exclusive mode".formatted(table.name());
  }

  /** One row for each topic. */
  String byTopic() {
    return """
    select m.topic, count(*), min(m.written_at), count(*) filter (where not coalesce(%s, false)),
           exists (select from ${schema}.route x
                   where x.closing is null and m.topic like x.like_pattern)
    from (select %s, %s as written_at from %s r where %s
          -- Kept apart by the planner, or each use of a column would compute it again.
          offset 0) as m
    group by m.topic order by m.topic limit ?"""
        .formatted(
            PUBLISHABLE,
            table.message(),
            table.sql(Part.WRITTEN_AT),
            table.name(),
            table.sql(Part.PENDING));
  }

  /** One row for each reason not to move. */
  String left() {
    return """
    select m.reason, count(*)
    from (select %s as reason from %s r where (%s) is not true) as m
    where m.reason is not null group by 1 order by 1"""
        .formatted(table.sql(Part.LEFT), table.name(), table.sql(Part.PENDING));
  }

  /**
   * Publishes the oldest rows, in their order: at most {@code ?} of them, and of their payloads at
   * most {@code ?} bytes, or one row. Only places are sorted, not payloads. Gives their places,
   * which do not move while the table is locked, how many were looked at, and the id of one that
   * cannot be published.
   */
  String publish() {
    return """
    with batch as materialized (
      select r.ctid::text as place, row_number() over (order by %1$s) as n, %2$s
      from %3$s r
      where r.ctid = any (array(
        select p.place
        from (select r.ctid as place from %3$s r where %4$s order by %1$s limit ?) as p))
    ), m as (
      select *, sum(coalesce(octet_length(payload), 0)) over (order by n) as bytes from batch
    )
    select array_agg(m.place order by n), (select count(*) from batch),
      (array_agg(m.id::text || ' (topic ' || coalesce(m.topic, '') || ')' order by n)
        filter (where not coalesce(%5$s, false)))[1],
      ${schema}.publish_all(
        array_agg(m.id order by n), array_agg(m.topic order by n), array_agg(m.key order by n),
        array_agg(m.type order by n), array_agg(m.content_type order by n),
        array_agg(m.payload order by n), array_agg(m.headers::text order by n), null,
        case when bool_or(m.dedupe_key is not null) then array_agg(m.dedupe_key order by n) end,
        null)
    from m where m.n = 1 or m.bytes <= ? having count(*) > 0"""
        .formatted(
            table.sql(Part.ORDER),
            table.message(),
            table.name(),
            table.sql(Part.PENDING),
            PUBLISHABLE);
  }

  String dispose() {
    return table.dispose();
  }

  /** The function's name carries the table's oid, since two tables may share a name. */
  String function(long oid) {
    return "${schema}.takeover_" + oid;
  }

  /** With the rights of who installs it, so that old writers need none of their own. */
  String createFunction(long oid) {
    String finish = table.onInsert() == OnInsert.MARK ? table.markNew() : "return null;";
    return """
    create or replace function %1$s() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $holdfast$
    begin
      perform ${schema}.publish_bytes(
        m.topic, m.key, m.payload, m.content_type, m.type, m.headers, null, m.dedupe_key, m.id)
      from (select %2$s from (select new.*) as r where %3$s) as m;
      if found then
        %4$s
      end if;
      return new;
    end $holdfast$"""
        .formatted(function(oid), table.message(), table.sql(Part.PENDING), finish);
  }

  String createTrigger(long oid) {
    return "create trigger %s %s insert on %s for each row execute function %s()"
        .formatted(
            TRIGGER,
            table.onInsert() == OnInsert.KEEP ? "after" : "before",
            table.name(),
            function(oid));
  }

  /**
   * Decoding takes a publication as it was at each place of the log: what lies before this is still
   * read, and nothing after.
   */
  String withdraw() {
    return "alter publication %s drop table %s".formatted(table.publication(), table.name());
  }

  /** Where in the log the last row lies that the old way has to deliver. */
  String remember(String lsn) {
    return "comment on trigger %s on %s is 'holdfast takeover since %s'"
        .formatted(TRIGGER, table.name(), lsn);
  }

  static String recall() {
    return """
    select t.tgfoid::regprocedure::text,
           substring(obj_description(t.oid, 'pg_trigger') from 'since ([0-9A-F]+/[0-9A-F]+)')
    from pg_trigger t where t.tgrelid = ?::regclass and t.tgname = '%s'"""
        .formatted(TRIGGER);
  }

  /** Who keeps the table from being locked. */
  static String holders() {
    return """
    select distinct l.pid, coalesce(nullif(a.application_name, ''), '(no name)'),
           coalesce(a.state, 'prepared'),
           coalesce(extract(epoch from clock_timestamp() - a.xact_start)::bigint, 0)
    from pg_locks l left join pg_stat_activity a using (pid)
    where l.relation = ?::regclass and l.granted and l.mode <> 'AccessShareLock'
      and l.pid is distinct from pg_backend_pid()
    limit 5""";
  }
}
