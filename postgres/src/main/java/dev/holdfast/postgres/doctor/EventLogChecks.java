package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Patient.literal;
import static dev.holdfast.postgres.doctor.Patient.seconds;
import static dev.holdfast.postgres.doctor.TransactionChecks.put;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.twophase.store.Gid;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The event log: whom all its readers wait for, and whether its positions can be relied on. */
final class EventLogChecks {
  static final List<Check> ALL =
      List.of(
          new Check("eventlog.mark", EventLogChecks::mark),
          new Check("eventlog.sequence", EventLogChecks::sequence));

  /** The most that is told; the longest come first. */
  private static final int MOST = 10;

  private EventLogChecks() {}

  private static List<Finding> mark(Patient patient) throws SQLException {
    List<Finding> result =
        patient.many(
            """
            select h.pid, h.application, h."user" as holder, h.gid,
                   extract(epoch from clock_timestamp() - h.since)::float8 as seconds
            from ${schema}.event_holder h
            where h.since < clock_timestamp() - ? * interval '1 ms'
            order by h.since limit ?
            """,
            EventLogChecks::holder,
            patient.limits().keys().toMillis(),
            MOST);
    return result.isEmpty()
        ? List.of(Finding.ok("eventlog.mark", "Nobody holds readers of the event log for long."))
        : result;
  }

  private static Finding holder(ResultSet row) throws SQLException {
    @Nullable String gid = row.getString("gid");
    int pid = row.getInt("pid");
    String name = gid == null ? "session " + pid : "prepared " + gid;
    Map<String, Object> evidence = new LinkedHashMap<>();
    if (gid == null) {
      evidence.put("pid", pid);
    }
    put(evidence, "gid", gid);
    put(evidence, "user", row.getString("holder"));
    put(evidence, "application", row.getString("application"));
    evidence.put("age_seconds", Math.round(row.getDouble("seconds")));
    return Finding.of(
        Severity.WARN,
        "eventlog.mark",
        name,
        "The transaction of %s has appended events, or changed their table otherwise, and is open for %s."
            .formatted(name, seconds(row.getDouble("seconds"))),
        "Readers of the event log do not pass the position at which it began; nothing is lost.",
        gid == null
            ? "select pg_terminate_backend(" + pid + ");"
            : Gid.parse(gid).isPresent()
                ? PreparedCheck.RECOVER
                : "rollback prepared %s; -- or commit prepared".formatted(literal(gid)),
        evidence);
  }

  private static List<Finding> sequence(Patient patient) throws SQLException {
    boolean sound =
        patient.one(
            """
            select s.seqcache = 1 and s.seqincrement = 1 and not s.seqcycle
            from pg_sequence s where s.seqrelid = '${schema}.event_position'::regclass
            """,
            row -> row.getBoolean(1));
    return List.of(
        sound
            ? Finding.ok("eventlog.sequence", "Positions of events are drawn one by one.")
            : Finding.of(
                Severity.FAIL,
                "eventlog.sequence",
                "",
                "The sequence of the positions of events has been altered: its cache or increment is not 1.",
                "Sessions keep positions for later, below what was read: readers of the event log refuse to read.",
                "alter sequence %s.event_position cache 1 increment 1 no cycle; -- then end the sessions that have appended"
                    .formatted(patient.schema()),
                Map.of()));
  }
}
