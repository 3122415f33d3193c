package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Patient.literal;
import static dev.holdfast.postgres.doctor.Patient.seconds;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.twophase.store.Gid;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Who holds what others wait for: the horizon, keys, the log. */
final class TransactionChecks {
  /** The most that is told of a kind; the worst come first. */
  private static final int MOST = 10;

  static final List<Check> ALL =
      List.of(
          new Check("roles.statistics", TransactionChecks::statistics),
          new Check("transactions.horizon", TransactionChecks::horizon),
          new Check("transactions.publishers", TransactionChecks::publishers),
          new Check("transactions.prepared", PreparedCheck::prepared),
          new Check("replication.slots", TransactionChecks::slots),
          new Check("replication.slot-limit", TransactionChecks::slotLimit));

  private TransactionChecks() {}

  /** Without this right the sessions of others look as if they did nothing. */
  private static List<Finding> statistics(Patient patient) throws SQLException {
    String user = patient.one("select quote_ident(current_user)", row -> row.getString(1));
    return List.of(
        patient.one(
                "select pg_has_role(current_user, 'pg_read_all_stats', 'usage')",
                row -> row.getBoolean(1))
            ? Finding.ok("roles.statistics", "Other users' sessions can be seen.")
            : Finding.of(
                Severity.WARN,
                "roles.statistics",
                "",
                "The user %s cannot see what other users' sessions do.".formatted(user),
                "Who holds the horizon or a key is found among this user's own sessions only.",
                "grant pg_read_all_stats to " + user + ";",
                Map.of("user", user)));
  }

  /** Whoever keeps vacuum from removing what is older. */
  private record Holder(
      String kind,
      String name,
      @Nullable String user,
      @Nullable String application,
      @Nullable String client,
      @Nullable String database,
      long age,
      double seconds,
      boolean hasTime) {

    String remedy() {
      return switch (kind) {
        case "session" -> "select pg_terminate_backend(" + name + ");";
        case "prepared" ->
            Gid.parse(name).isPresent()
                ? PreparedCheck.RECOVER
                : "rollback prepared %s; -- or commit prepared, connected to database %s"
                    .formatted(literal(name), database);
        case "slot" -> "select pg_drop_replication_slot(" + literal(name) + ");";
        default ->
            "End the long query on the standby, or there: alter system set hot_standby_feedback = off; select pg_reload_conf();";
      };
    }

    Map<String, Object> evidence() {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("kind", kind);
      result.put("name", name);
      put(result, "user", user);
      put(result, "application", application);
      put(result, "client", client);
      put(result, "database", database);
      result.put("age_transactions", age);
      if (hasTime) {
        result.put("age_seconds", Math.round(seconds));
      }
      return result;
    }

    String text() {
      return "%s %s%s%s%s"
          .formatted(
              kind,
              name,
              user == null ? "" : " of " + user,
              application == null || application.isEmpty() ? "" : " (" + application + ")",
              database == null ? "" : " in database " + database);
    }
  }

  static void put(Map<String, Object> evidence, String name, @Nullable Object value) {
    if (value != null) {
      evidence.put(name, value);
    }
  }

  /** A session that has written keeps the horizon at its own id also between its statements. */
  private static final String HOLDERS =
      """
      select h.* from (
        select 'session' as kind, a.pid::text as name, a.usename::text as holder,
               a.application_name as application, a.client_addr::text as client,
               a.datname::text as database,
               greatest(age(a.backend_xmin), age(a.backend_xid))::bigint as age,
               extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds
        from pg_stat_activity a
        where (a.backend_xmin is not null or a.backend_xid is not null)
          and a.pid <> pg_backend_pid() and a.backend_type <> 'walsender'
          and a.backend_type <> 'autovacuum worker'
        union all
        select 'prepared', p.gid, p.owner::text, null, null, p.database::text,
               age(p.transaction)::bigint,
               extract(epoch from clock_timestamp() - p.prepared)::float8
        from pg_prepared_xacts p
        union all
        select 'slot', s.slot_name::text, null, s.plugin::text, null, s.database::text,
               greatest(age(s.xmin), age(s.catalog_xmin))::bigint, null
        from pg_replication_slots s where s.xmin is not null or s.catalog_xmin is not null
        union all
        select 'standby', r.pid::text, r.usename::text, r.application_name, r.client_addr::text,
               null, age(r.backend_xmin)::bigint, null
        from pg_stat_replication r where r.backend_xmin is not null
      ) h order by h.age desc, h.seconds desc nulls last limit ?
      """;

  private static List<Finding> horizon(Patient patient) throws SQLException {
    List<Holder> holders =
        patient.many(
            HOLDERS,
            row -> {
              double seconds = row.getDouble("seconds");
              return new Holder(
                  row.getString("kind"),
                  row.getString("name"),
                  row.getString("holder"),
                  row.getString("application"),
                  row.getString("client"),
                  row.getString("database"),
                  row.getLong("age"),
                  seconds,
                  !row.wasNull());
            },
            MOST);
    double longest = patient.limits().transaction().toMillis() / 1000.0;
    List<Finding> result =
        holders.stream()
            .filter(
                each ->
                    each.hasTime()
                        ? each.seconds() >= longest
                        : each.age() >= patient.limits().horizonAge())
            .map(TransactionChecks::holds)
            .toList();
    if (!result.isEmpty()) {
      return result;
    }
    return List.of(
        holders.isEmpty()
            ? Finding.ok("transactions.horizon", "Nobody holds the xmin horizon.")
            : Finding.ok(
                "transactions.horizon",
                "",
                "The xmin horizon is held by nobody for long; furthest back is "
                    + holders.get(0).text()
                    + ".",
                holders.get(0).evidence()));
  }

  private static Finding holds(Holder holder) {
    return Finding.of(
        Severity.WARN,
        "transactions.horizon",
        holder.kind() + " " + holder.name(),
        "The xmin horizon is held by %s, %d transactions back%s."
            .formatted(
                holder.text(),
                holder.age(),
                holder.hasTime() ? ", for " + seconds(holder.seconds()) : ""),
        "Vacuum removes no row that was replaced since, so leases and progress, which are updated every second, get slower. Messages are not held up, unless it published them; but segments are not emptied while a transaction that has written is open.",
        holder.remedy(),
        holder.evidence());
  }

  /** Transactions that hold locks of our class, by how long they have been open. */
  private static final String PUBLISHERS =
      """
      select l.pid, a.usename::text as holder, a.application_name as application,
             a.client_addr::text as client, a.state, count(*) as stripes,
             extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds,
             (select count(distinct w.pid) from pg_locks w
              where w.locktype = 'advisory' and w.classid = 1213156420 and w.objsubid = 2
                and not w.granted and w.database = l.database
                and l.pid = any (pg_blocking_pids(w.pid))) as waiting
      from pg_locks l join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and l.classid = 1213156420 and l.objsubid = 2 and l.granted
        and l.database = (select oid from pg_database where datname = current_database())
        and a.xact_start <= clock_timestamp() - ? * interval '1 ms'
      group by l.pid, l.database, a.usename, a.application_name, a.client_addr, a.state, a.xact_start
      order by a.xact_start limit ?
      """;

  private static List<Finding> publishers(Patient patient) throws SQLException {
    List<Finding> result =
        patient.many(
            PUBLISHERS,
            row -> {
              Map<String, Object> evidence = new LinkedHashMap<>();
              evidence.put("pid", row.getInt("pid"));
              put(evidence, "user", row.getString("holder"));
              put(evidence, "application", row.getString("application"));
              put(evidence, "client", row.getString("client"));
              put(evidence, "state", row.getString("state"));
              evidence.put("key_stripes", row.getInt("stripes"));
              evidence.put("age_seconds", Math.round(row.getDouble("seconds")));
              evidence.put("waiting", row.getInt("waiting"));
              return Finding.of(
                  Severity.WARN,
                  "transactions.publishers",
                  "session " + row.getInt("pid"),
                  "The transaction of session %d (%s, %s) has published with a key and is open for %s; %d session(s) wait for it."
                      .formatted(
                          row.getInt("pid"),
                          row.getString("holder"),
                          row.getString("state"),
                          seconds(row.getDouble("seconds")),
                          row.getInt("waiting")),
                  "Whoever publishes with one of its keys waits until it ends, and so do delayed messages of these keys.",
                  "select pg_terminate_backend(" + row.getInt("pid") + ");",
                  evidence);
            },
            patient.limits().keys().toMillis(),
            MOST);
    return result.isEmpty()
        ? List.of(
            Finding.ok(
                "transactions.publishers",
                "No transaction that has published with a key is open for long."))
        : result;
  }

  private static List<Finding> slots(Patient patient) throws SQLException {
    List<Finding> result =
        patient.many(
            """
            select s.slot_name::text as name, s.slot_type, s.active, s.wal_status,
                   coalesce(pg_wal_lsn_diff(
                     case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
                          else pg_current_wal_lsn() end, s.restart_lsn), 0)::bigint as kept
            from pg_replication_slots s
            where not s.temporary and (not s.active or s.wal_status in ('lost', 'unreserved'))
            order by kept desc limit ?
            """,
            row -> slot(row.getString("name"), row.getString("wal_status"), row.getLong("kept")),
            MOST);
    return result.isEmpty()
        ? List.of(Finding.ok("replication.slots", "Every replication slot is read."))
        : result;
  }

  private static Finding slot(String name, @Nullable String status, long kept) {
    boolean broken = "lost".equals(status) || "unreserved".equals(status);
    return Finding.of(
        broken ? Severity.FAIL : Severity.WARN,
        "replication.slots",
        name,
        broken
            ? "The replication slot %s has lost log that it needs, or is about to (%s)."
                .formatted(name, status)
            : "Nobody reads the replication slot %s, for which %d MB of log are kept."
                .formatted(name, kept >> 20),
        broken
            ? "Whoever reads it cannot go on, and has to begin anew."
            : "The log is kept until somebody reads it or the disk is full; a full disk stops every write.",
        "Start its reader, or: select pg_drop_replication_slot(" + literal(name) + ");",
        Map.of("slot", name, "wal_status", String.valueOf(status), "kept_bytes", kept));
  }

  private static List<Finding> slotLimit(Patient patient) throws SQLException {
    String limit = patient.setting("max_slot_wal_keep_size");
    int slots =
        patient.one(
            "select count(*) from pg_replication_slots where not temporary", row -> row.getInt(1));
    return List.of(
        limit.equals("-1") && slots > 0
            ? Finding.of(
                Severity.WARN,
                "replication.slot-limit",
                "",
                "There are %d replication slots, and max_slot_wal_keep_size is not limited."
                    .formatted(slots),
                "One of them that nobody reads fills the disk.",
                "alter system set max_slot_wal_keep_size = '50GB'; select pg_reload_conf(); -- a part of the disk",
                Map.of("slots", slots, "max_slot_wal_keep_size", limit))
            : Finding.ok(
                "replication.slot-limit",
                "",
                "Slots cannot fill the disk.",
                Map.of("slots", slots, "max_slot_wal_keep_size", limit)));
  }
}
