package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Patient.seconds;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The tables: who keeps them from being emptied, how they grow, how long they last. */
final class StorageChecks {
  private static final double SECONDS_PER_YEAR = 365.25 * 24 * 3600;
  private static final double SHORT_RUNWAY_YEARS = 5;
  private static final double LEAST_LEFT = 0.1;

  static final List<Check> ALL =
      List.of(
          new Check("storage.segments", StorageChecks::segments),
          new Check("storage.upkeep", StorageChecks::upkeep),
          new Check("storage.retention", StorageChecks::retention),
          new Check("storage.runway", StorageChecks::runway),
          new Check("storage.autovacuum", StorageChecks::autovacuum));

  private StorageChecks() {}

  /**
   * @param current whether it is written to
   * @param overdue whether it should have been emptied: all in it is past its retention for longer
   *     than upkeep takes
   */
  private record Segment(
      int number,
      boolean current,
      long bytes,
      @Nullable Double oldest,
      @Nullable Double newest,
      boolean overdue) {}

  /** By the primary key's ends: positions and times rise together, near enough. */
  private static String segment(int number) {
    return """
        select %1$d as number, %1$d = r.current as current,
               pg_total_relation_size('${schema}.message_%1$d') as bytes,
               extract(epoch from ${schema}.now() - n.recorded_at)::float8 as newest,
               extract(epoch from ${schema}.now() - o.recorded_at)::float8 as oldest,
               %1$d <> r.current and n.recorded_at is not null
                 and n.recorded_at < ${schema}.now() - (s.retention_ms + ?) * interval '1 ms' as overdue
        from ${schema}.ring r cross join ${schema}.store s
        left join (select recorded_at from ${schema}.message_%1$d order by position desc limit 1) n
          on true
        left join (select recorded_at from ${schema}.message_%1$d order by position limit 1) o
          on true
        where r.name = 'message'
        """
        .formatted(number);
  }

  /** Whoever keeps the oldest: the channel that has come least far, and what holds it there. */
  private record Tail(
      String channel,
      String state,
      boolean led,
      @Nullable String holder,
      @Nullable String remedy) {}

  /**
   * A channel's snapshot cannot come past a transaction that has an id and is open, however far the
   * channel itself has come.
   */
  private static final String TAIL =
      """
      select t.channel, t.state, t.led,
             coalesce('session ' || a.pid, 'prepared transaction ' || x.gid) as holder,
             coalesce('select pg_terminate_backend(' || a.pid || ');',
                      'rollback prepared ' || quote_literal(x.gid) || ';') as remedy
      from (select p.channel, c.state, pg_snapshot_xmin(p.from_snapshot) as xmin,
                   exists (select from ${schema}.lease l where l.name = 'channel/' || c.name
                             and l.owner is not null and l.expires_at > ${schema}.now()) as led
            from ${schema}.progress p join ${schema}.channel c on c.name = p.channel
            order by pg_snapshot_xmin(p.from_snapshot), p.updated_at limit 1) t
      left join pg_stat_activity a on a.backend_xid = t.xmin::xid
      left join pg_prepared_xacts x on x.transaction = t.xmin::xid
      """;

  private static List<Finding> segments(Patient patient) throws SQLException {
    List<Segment> segments = new ArrayList<>();
    for (int number = 0; number < 3; number++) {
      segments.add(
          patient.one(
              segment(number),
              row ->
                  new Segment(
                      row.getInt("number"),
                      row.getBoolean("current"),
                      row.getLong("bytes"),
                      row.getObject("oldest", Double.class),
                      row.getObject("newest", Double.class),
                      row.getBoolean("overdue")),
              patient.limits().overdue().toMillis()));
    }
    List<Tail> tail =
        patient.many(
            TAIL,
            row ->
                new Tail(
                    row.getString("channel"),
                    row.getString("state"),
                    row.getBoolean("led"),
                    row.getString("holder"),
                    row.getString("remedy")));
    Map<String, Object> evidence = new LinkedHashMap<>();
    for (Segment each : segments) {
      evidence.put("message_" + each.number() + "_bytes", each.bytes());
    }
    tail.forEach(each -> evidence.put("tail_channel", each.channel()));
    long bytes = segments.stream().mapToLong(Segment::bytes).sum();
    double age =
        segments.stream()
            .mapToDouble(each -> each.oldest() == null ? 0 : each.oldest())
            .max()
            .orElse(0);
    // Of less than a minute nothing can be said.
    long perHour = age < 60 ? 0 : Math.round(bytes / age * 3600);
    evidence.put("bytes_per_hour", perHour);
    String size =
        "The outbox takes %d MB%s"
            .formatted(bytes >> 20, age < 60 ? "" : ", at %d MB per hour".formatted(perHour >> 20));
    if (segments.stream().noneMatch(Segment::overdue)) {
      return List.of(
          Finding.ok(
              "storage.segments",
              "",
              size
                  + (tail.isEmpty()
                      ? "."
                      : "; its tail is held by channel " + tail.get(0).channel() + "."),
              evidence));
    }
    return List.of(heldBack(size, segments, tail, evidence));
  }

  private static Finding heldBack(
      String size, List<Segment> segments, List<Tail> tail, Map<String, Object> evidence) {
    double oldest =
        segments.stream()
            .filter(Segment::overdue)
            .mapToDouble(each -> each.newest() == null ? 0 : each.newest())
            .max()
            .orElse(0);
    String by;
    String remedy;
    if (tail.isEmpty()) {
      by = "there is no channel that could have passed it";
      remedy = "holdfast relay --channel NAME --topics 'orders.*' --kafka HOST:PORT";
    } else if (tail.get(0).holder() != null) {
      by = "%s is open, which has written".formatted(tail.get(0).holder());
      remedy = String.valueOf(tail.get(0).remedy());
    } else {
      Tail last = tail.get(0);
      by =
          "channel %s (%s, %s) has come least far, or nobody does the upkeep"
              .formatted(
                  last.channel(),
                  last.state().toLowerCase(java.util.Locale.ROOT),
                  last.led() ? "led" : "led by nobody");
      remedy =
          last.state().equals("RUNNING")
              ? "Start a relay of channel %1$s. If it is not wanted any more: holdfast outbox unroute --channel %1$s TOPICS, and then: holdfast outbox remove --channel %1$s"
                  .formatted(last.channel())
              : "holdfast outbox resume --channel " + last.channel();
    }
    return Finding.of(
        Severity.WARN,
        "storage.segments",
        tail.isEmpty() ? "" : tail.get(0).channel(),
        "%s, of which a part should have been emptied; what is newest in it is %s old. It is kept, since %s."
            .formatted(size, seconds(oldest), by),
        "The outbox grows until it is emptied; a full disk stops every write.",
        remedy,
        evidence);
  }

  /** Whether the rings that turn by time alone have turned. */
  private static List<Finding> upkeep(Patient patient) throws SQLException {
    List<Finding> late =
        patient.many(
            """
            select r.name, extract(epoch from ${schema}.now() - r.rotated_at)::float8 as age
            from ${schema}.ring r cross join ${schema}.store s
            where r.name in ('dedupe', 'attempt')
              and r.rotated_at < ${schema}.now() - ? * interval '1 ms'
                - case r.name when 'dedupe' then s.dedupe_window_ms else 3600000 end * interval '1 ms'
            union all
            select 'inbox', extract(epoch from ${schema}.now() - i.closed_at)::float8
            from ${schema}.inbox_ring i
            where i.closed_at < ${schema}.now() - ? * interval '1 ms'
              - (select max(c.retention_ms) from ${schema}.inbox_consumer c) * interval '1 ms'
            order by 1
            """,
            row ->
                Finding.of(
                    Severity.WARN,
                    "storage.upkeep",
                    row.getString("name"),
                    "The tables %s_0 to _2 were last turned %s ago."
                        .formatted(row.getString("name"), seconds(row.getDouble("age"))),
                    "Upkeep empties old segments and moves delayed messages that are due. It is done by any process that runs a channel, or is started withUpkeep(), and nobody does it, or a lock on these tables keeps it off. Nothing is lost; the tables grow.",
                    "Start a relay (any channel's will do), or Holdfast.on(dataSource).withUpkeep() in a process that only receives; if one runs: select pid, mode, granted from pg_locks where relation::regclass::text like '%."
                        + row.getString("name")
                        + "_%';",
                    Map.of(
                        "ring", row.getString("name"),
                        "age_seconds", Math.round(row.getDouble("age")))),
            patient.limits().overdue().toMillis(),
            patient.limits().overdue().toMillis());
    return late.isEmpty()
        ? List.of(Finding.ok("storage.upkeep", "Upkeep is done, or nothing is due."))
        : late;
  }

  private record Settings(long retention, long dedupe, int payload) {}

  private static List<Finding> retention(Patient patient) throws SQLException {
    Settings settings =
        patient.one(
            "select retention_ms, dedupe_window_ms, max_payload_bytes from ${schema}.store",
            row -> new Settings(row.getLong(1), row.getLong(2), row.getInt(3)));
    Map<String, Object> evidence =
        Map.of(
            "retention_ms", settings.retention(),
            "dedupe_window_ms", settings.dedupe(),
            "max_payload_bytes", settings.payload());
    String found =
        "What is delivered is kept for %s, dedupe keys for %s."
            .formatted(
                Duration.ofMillis(settings.retention()), Duration.ofMillis(settings.dedupe()));
    return List.of(
        settings.retention() == 0
            ? Finding.of(
                Severity.WARN,
                "storage.retention",
                "",
                "What is delivered is not kept at all.",
                "Kafka's acknowledgment says that replicas have a record in memory. What they lose with their power cannot be delivered again.",
                "Holdfast.on(dataSource).retention(Duration.ofHours(1)), or: update %s.store set retention_ms = 3600000;"
                    .formatted(patient.schema()),
                evidence)
            : Finding.ok("storage.retention", "", found, evidence));
  }

  private record Runway(long last, double rows, double seconds) {}

  private static final String RUNWAY =
      """
      select q.last_value, coalesce(max(e.position) - min(e.position), 0)::float8 as rows,
             coalesce(extract(epoch from max(e.recorded_at) - min(e.recorded_at)), 0)::float8 as seconds
      from ${schema}.message_position q
      left join lateral (
        (select position, recorded_at from ${schema}.message_0 order by position limit 1)
        union all (select position, recorded_at from ${schema}.message_1 order by position limit 1)
        union all (select position, recorded_at from ${schema}.message_2 order by position limit 1)
        union all (select position, recorded_at from ${schema}.message_0 order by position desc limit 1)
        union all (select position, recorded_at from ${schema}.message_1 order by position desc limit 1)
        union all (select position, recorded_at from ${schema}.message_2 order by position desc limit 1)
      ) e on true
      group by q.last_value
      """;

  /** How long positions last at the rate of what the outbox holds. */
  private static List<Finding> runway(Patient patient) throws SQLException {
    Runway now =
        patient.one(
            RUNWAY,
            row ->
                new Runway(
                    row.getLong("last_value"), row.getDouble("rows"), row.getDouble("seconds")));
    double left = (double) (Long.MAX_VALUE - now.last());
    double perSecond = now.seconds() <= 0 ? 0 : now.rows() / now.seconds();
    double years = perSecond <= 0 ? Double.POSITIVE_INFINITY : left / perSecond / SECONDS_PER_YEAR;
    boolean tooShort = left / Long.MAX_VALUE < LEAST_LEFT || years < SHORT_RUNWAY_YEARS;
    Map<String, Object> evidence =
        Map.of(
            "last_position", now.last(),
            "left", Long.MAX_VALUE - now.last(),
            "per_second", Math.round(perSecond));
    String found =
        "Positions have come to %d of %d".formatted(now.last(), Long.MAX_VALUE)
            + (years < 1000 ? ", and last %.1f years at the present rate.".formatted(years) : ".");
    return List.of(
        tooShort
            ? Finding.of(
                years < 1 ? Severity.FAIL : Severity.WARN,
                "storage.runway",
                "",
                found,
                "When they are used up nothing can be published.",
                "Somebody has set the sequence: no rate of publishing gets there. Move to a new schema: holdfast schema migrate --schema NEW, and let the channels of the old one end.",
                evidence)
            : Finding.ok("storage.runway", "", found, evidence));
  }

  private static List<Finding> autovacuum(Patient patient) throws SQLException {
    List<String> tables =
        patient.many(
            """
            select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = ? and c.relkind = 'r'
              and exists (select from unnest(c.reloptions) o
                          where o ~* '^autovacuum_enabled=(false|off|no|0)$')
            order by 1
            """,
            row -> row.getString(1),
            patient.schema());
    boolean off =
        !patient.setting("autovacuum").equals("on")
            || !patient.setting("track_counts").equals("on");
    if (!off && tables.isEmpty()) {
      return List.of(Finding.ok("storage.autovacuum", "Autovacuum is on."));
    }
    return List.of(
        Finding.of(
            Severity.WARN,
            "storage.autovacuum",
            "",
            off ? "Autovacuum is off." : "Autovacuum is off for " + String.join(", ", tables) + ".",
            "Leases and progress are updated every second; what is replaced is never removed, so that every update gets slower.",
            off
                ? "alter system set autovacuum = on; alter system set track_counts = on; select pg_reload_conf();"
                : tables.stream()
                    .map(
                        table ->
                            "alter table %s.%s reset (autovacuum_enabled);"
                                .formatted(patient.schema(), table))
                    .reduce((a, b) -> a + " " + b)
                    .orElse(""),
            Map.of("off", off, "tables", String.join(", ", tables))));
  }
}
