package dev.holdfast.postgres.doctor;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.postgres.doctor.PostgresDoctor.Role;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Whether the user may do what a writer, a relay or an admin does. */
final class RightsCheck {
  private static final String ID = "roles.rights";
  private static final int TOLD = 5;

  private RightsCheck() {}

  /**
   * @param role whose rights are a must, if any
   */
  static Check of(@Nullable Role role) {
    return new Check(ID, patient -> List.of(examine(patient, role)));
  }

  /**
   * What each needs, as schema print --roles grants it, and this user does not have. Functions run
   * with their owner's rights, so that a writer needs few of its own.
   */
  private static final String MISSING =
      """
      with tables as (
        select c.oid, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = '${schema}' and c.relkind = 'r'),
      functions as (
        select f.oid, f.proname from pg_proc f join pg_namespace n on n.oid = f.pronamespace
        where n.nspname = '${schema}'),
      wanted as (
        select 'WRITER' as role, 'usage of the schema' as what,
               has_schema_privilege('${schema}', 'usage') as has
        union all
        select 'WRITER', 'execute ' || proname, has_function_privilege(oid, 'execute')
        from functions
        where proname in ('now', 'lock_keys', 'publish', 'publish_bytes', 'publish_all',
                          'publish_and_record', 'record_attempt', 'receive', 'keep_reply',
                          'receive_all', 'move_offsets', 'decide', 'witness',
                          'require_lock_timeout', 'require_flush', 'reserve',
                          'resolve_reservation', 'set_stock', 'count_stock', 'acquire_lock',
                          'require_lock', 'renew_lock', 'release_lock', 'append_events',
                          'append_events_if', 'append_together', 'matching_events', 'event_mark',
                          'keep_snapshot')
        union all
        select 'WRITER', lower(p) || ' ' || relname, has_table_privilege(oid, p)
        from tables cross join unnest(array['SELECT', 'INSERT']) p
        where relname ~ '^attempt_' or relname = 'inbox_consumer'
        union all
        select 'WRITER', 'update ' || relname, has_table_privilege(oid, 'UPDATE')
        from tables where relname = 'inbox_consumer'
        union all
        select r, lower(p) || ' ' || relname, has_table_privilege(oid, p)
        from tables cross join unnest(array['INSERT', 'UPDATE', 'DELETE']) p
          cross join unnest(array['WRITER', 'ADMIN']) r
        where relname ~ '^(log_(consumer|topic|offset|lane|parked)|decision|participant|heuristic|witness|claim)$'
        union all
        select r, 'select ' || relname, has_table_privilege(oid, 'SELECT')
        from tables cross join unnest(array['WRITER', 'ADMIN', 'RELAY']) r
        where relname in ('store', 'schema_version', 'decision', 'participant', 'heuristic',
                          'witness', 'claim', 'event', 'event_tag', 'event_snapshot')
           or relname ~ '^log_' or r <> 'WRITER'
        union all
        select 'RELAY', lower(p) || ' ' || relname, has_table_privilege(oid, p)
        from tables cross join unnest(array['INSERT', 'UPDATE', 'DELETE']) p
        where relname not in ('schema_version', 'route_since')
        union all
        select 'RELAY', 'truncate ' || relname, has_table_privilege(oid, 'TRUNCATE')
        from tables where relname ~ '^(message|dedupe|attempt|inbox|inbox_reply)_[0-2]$'
        union all
        select r, 'execute ' || proname, has_function_privilege(oid, 'execute')
        from functions cross join unnest(array['RELAY', 'ADMIN']) r
        where proname in ('append', 'lock_keys', 'now')
           or proname in ('move_due', 'expire_reservations', 'fold_stocks', 'forget_reservations',
                          'archive_events')
             and r = 'RELAY'
        union all
        select 'ADMIN', lower(p) || ' ' || relname, has_table_privilege(oid, p)
        from tables cross join unnest(array['INSERT', 'UPDATE']) p
        where relname in ('channel', 'route', 'progress', 'store', 'parked_lane', 'parked_skip',
                          'audit')
        union all
        select 'ADMIN', 'update lease', has_table_privilege(oid, 'UPDATE')
        from tables where relname = 'lease'
        union all
        select 'ADMIN', 'delete ' || relname, has_table_privilege(oid, 'DELETE')
        from tables
        where relname in ('channel', 'route', 'progress', 'lease', 'parked_lane',
                          'parked_message', 'parked_skip'))
      select role, what from wanted where not has order by role, what
      """;

  private static Finding examine(Patient patient, @Nullable Role must) throws SQLException {
    Map<Role, List<String>> missing = new EnumMap<>(Role.class);
    for (Role role : Role.values()) {
      missing.put(role, new ArrayList<>());
    }
    patient.many(
        MISSING,
        row ->
            missing
                .computeIfAbsent(Role.valueOf(row.getString(1)), role -> new ArrayList<>())
                .add(row.getString(2)));
    // A relay publishes too, when it moves what is due.
    missing
        .computeIfAbsent(Role.RELAY, role -> new ArrayList<>())
        .addAll(missing.getOrDefault(Role.WRITER, List.of()));
    List<String> able =
        missing.entrySet().stream()
            .filter(each -> each.getValue().isEmpty())
            .map(each -> name(each.getKey()))
            .toList();
    String user = patient.one("select quote_ident(current_user)", row -> row.getString(1));
    if (must == null ? !able.isEmpty() : able.contains(name(must))) {
      return Finding.ok(
          ID,
          user,
          "The user %s has the rights of: %s.".formatted(user, String.join(", ", able)),
          Map.of("user", user, "able", String.join(", ", able)));
    }
    Role nearest = must == null ? Role.WRITER : must;
    List<String> lacking = missing.getOrDefault(nearest, List.of());
    return Finding.of(
        must == null ? Severity.WARN : Severity.FAIL,
        ID,
        user,
        "The user %s lacks %d right(s) of a %s: %s%s."
            .formatted(
                user,
                lacking.size(),
                name(nearest),
                String.join(", ", lacking.subList(0, Math.min(TOLD, lacking.size()))),
                lacking.size() > TOLD ? ", ..." : ""),
        "What needs them fails, and is rolled back.",
        "holdfast schema print --roles --schema %s | psql, as the owner of the schema; then: grant holdfast_%s to %s;"
            .formatted(patient.schema(), name(nearest), user),
        Map.of("user", user, "lacking", String.join(", ", lacking)));
  }

  private static String name(Role role) {
    return role.name().toLowerCase(Locale.ROOT);
  }
}
