package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Patient.seconds;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** Projections and channels of the event log: what waits for a person, and whom nobody follows. */
final class ProjectionChecks {
  static final List<Check> ALL =
      List.of(
          new Check("projection.parked", ProjectionChecks::parked),
          new Check("projection.late", ProjectionChecks::late));

  /** Whoever follows the log moves its checkpoint at once when there is something. */
  private static final int LATE_SECONDS = 60;

  private static final int TOLD = 100;

  private ProjectionChecks() {}

  private static List<Finding> parked(Patient patient) throws SQLException {
    List<Finding> all =
        patient.many(
            """
            select p.name || '/' || p.version as projection, count(*) as keys,
                   extract(epoch from ${schema}.now() - min(p.since))::float8 as age,
                   (array_agg(p.key order by p.since))[1] as oldest,
                   (array_agg(p.reason order by p.since))[1] as reason
            from ${schema}.projection_parked p
            group by p.name, p.version order by p.name, p.version limit ?
            """,
            row ->
                Finding.of(
                    Severity.WARN,
                    "projection.parked",
                    row.getString("projection"),
                    "%d key(s) are parked, the first for %s: %s: %s"
                        .formatted(
                            row.getLong("keys"),
                            seconds(row.getDouble("age")),
                            row.getString("oldest"),
                            row.getString("reason")),
                    "Their later events wait in the log; nothing is lost, and other keys go on.",
                    "Mend what the reason says; then: holdfast projection replay %s --all"
                        .formatted(
                            row.getString("projection").replaceFirst("^(channel/.*)/1$", "$1")),
                    Map.of(
                        "keys", row.getLong("keys"),
                        "oldest_seconds", Math.round(row.getDouble("age")),
                        "oldest", row.getString("oldest"))),
            TOLD);
    return all.isEmpty() ? List.of(Finding.ok("projection.parked", "No key is parked.")) : all;
  }

  /** Of the versions that are live or on their way to be; a former one may be left behind. */
  private static List<Finding> late(Patient patient) throws SQLException {
    List<Finding> all =
        patient.many(
            """
            select s.name || '/' || s.version as projection, min(s.checkpoint) as checkpoint,
                   extract(epoch from ${schema}.now() - min(n.recorded_at))::float8 as age
            from ${schema}.projection_slot s
              join ${schema}.projection p on p.name = s.name and s.version >= p.live,
              lateral (select e.recorded_at from ${schema}.event e
                       where e.position > s.checkpoint order by e.position limit 1) as n
            where n.recorded_at < ${schema}.now() - ? * interval '1 s'
              and s.changed_at < ${schema}.now() - ? * interval '1 s'
            group by s.name, s.version order by s.name, s.version limit ?
            """,
            row ->
                Finding.of(
                    Severity.WARN,
                    "projection.late",
                    row.getString("projection"),
                    "Nobody has moved it on from position %d, though there has been an event behind that for %s."
                        .formatted(row.getLong("checkpoint"), seconds(row.getDouble("age"))),
                    "Its view or its receiver is so far behind.",
                    "Start a process that has it, look at its log, and at who holds the mark (eventlog.mark).",
                    Map.of(
                        "checkpoint", row.getLong("checkpoint"),
                        "behind_seconds", Math.round(row.getDouble("age")))),
            LATE_SECONDS,
            LATE_SECONDS,
            TOLD);
    return all.isEmpty()
        ? List.of(Finding.ok("projection.late", "Whoever follows the event log is not late."))
        : all;
  }
}
