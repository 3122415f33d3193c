package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.ConsumerChecks.shell;
import static dev.holdfast.postgres.doctor.Patient.seconds;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/**
 * Runs of workflows, and reservations: what waits for a person, or for a process that is not there.
 */
final class WorkflowChecks {
  static final List<Check> ALL =
      List.of(
          new Check("workflow.stuck", WorkflowChecks::stuck),
          new Check("workflow.due", WorkflowChecks::due),
          new Check("workflow.queue", WorkflowChecks::queue),
          new Check("reservation.overdue", WorkflowChecks::overdue));

  /** Whoever runs something looks for it every minute at least. */
  private static final int LATE_SECONDS = 120;

  private static final int TOLD = 100;

  private WorkflowChecks() {}

  private static List<Finding> stuck(Patient patient) throws SQLException {
    List<Finding> all =
        patient.many(
            """
            select s.definition, count(*) as runs,
                   extract(epoch from ${schema}.now() - min(s.changed_at))::float8 as age,
                   (array_agg(w.id order by s.changed_at))[1] as oldest,
                   (array_agg(coalesce(s.reason, '') order by s.changed_at))[1] as reason
            from ${schema}.workflow_state s join ${schema}.workflow w on w.run = s.run
            where s.status = 'STUCK'
            group by s.definition order by s.definition limit ?
            """,
            row ->
                Finding.of(
                    Severity.WARN,
                    "workflow.stuck",
                    row.getString("definition"),
                    "%d run(s) are stuck, the first for %s: %s: %s"
                        .formatted(
                            row.getLong("runs"),
                            seconds(row.getDouble("age")),
                            row.getString("oldest"),
                            row.getString("reason")),
                    "They wait for a person; nothing is lost, and other runs go on.",
                    "holdfast workflow list --status STUCK; holdfast workflow show "
                        + shell(row.getString("oldest")),
                    Map.of(
                        "runs", row.getLong("runs"),
                        "oldest_seconds", Math.round(row.getDouble("age")),
                        "oldest", row.getString("oldest"))),
            TOLD);
    return all.isEmpty() ? List.of(Finding.ok("workflow.stuck", "No run is stuck.")) : all;
  }

  private static List<Finding> due(Patient patient) throws SQLException {
    List<Finding> all =
        patient.many(
            """
            select s.definition, count(*) as runs,
                   extract(epoch from ${schema}.now() - min(s.due_at))::float8 as age
            from ${schema}.workflow_state s
            where s.status = 'PARKED' and not s.held
              and s.due_at <= ${schema}.now() - ? * interval '1 s'
            group by s.definition order by s.definition limit ?
            """,
            row ->
                late(
                    row,
                    "workflow.due",
                    row.getString("definition"),
                    "%d run(s) are due that nobody takes up, the first for %s.",
                    "Start a process that has this workflow's definition, under this version, or one with more room (inFlight)."),
            LATE_SECONDS,
            TOLD);
    return all.isEmpty()
        ? List.of(Finding.ok("workflow.due", "Every run that is due is taken up."))
        : all;
  }

  private static List<Finding> queue(Patient patient) throws SQLException {
    List<Finding> all =
        patient.many(
            """
            select q.queue, q.runs, q.age from (
              select s.queue, count(*) as runs,
                     extract(epoch from ${schema}.now() - min(s.due_at))::float8 as age
              from ${schema}.workflow_state s
              where s.held and s.due_at <= ${schema}.now() - ? * interval '1 s'
              group by s.queue) as q
            where not exists (
              select from ${schema}.workflow_state s
              where s.queue = q.queue and s.admitted_at is not null and not s.held
                and (s.status in ('PARKED', 'RUNNING', 'STUCK')
                     or s.admitted_at > ${schema}.now() - ? * interval '1 s'))
            order by q.queue limit ?
            """,
            row ->
                late(
                    row,
                    "workflow.queue",
                    row.getString("queue"),
                    "%d run(s) wait that nobody lets in, the first for %s, and none is under way.",
                    "Start a process that has been given this queue: Holdfast.Builder.workflowQueue."),
            LATE_SECONDS,
            LATE_SECONDS,
            TOLD);
    return all.isEmpty()
        ? List.of(Finding.ok("workflow.queue", "Every queue lets runs in, or none waits."))
        : all;
  }

  private static Finding late(ResultSet row, String id, String subject, String found, String remedy)
      throws SQLException {
    long runs = row.getLong("runs");
    double age = row.getDouble("age");
    return Finding.of(
        Severity.WARN,
        id,
        subject,
        found.formatted(runs, seconds(age)),
        "They wait until somebody does; nothing is lost.",
        remedy,
        Map.of("runs", runs, "oldest_seconds", Math.round(age)));
  }

  private static List<Finding> overdue(Patient patient) throws SQLException {
    return patient.many(
        """
        select count(*) as holds,
               coalesce(extract(epoch from ${schema}.now() - min(r.expires_at)), 0)::float8 as age
        from ${schema}.reservation r
        where r.state = 'HELD' and r.expires_at <= ${schema}.now() - ? * interval '1 s'
        """,
        WorkflowChecks::overdue,
        LATE_SECONDS);
  }

  private static Finding overdue(ResultSet row) throws SQLException {
    long holds = row.getLong("holds");
    double age = row.getDouble("age");
    return holds == 0
        ? Finding.ok("reservation.overdue", "What has expired is given back.")
        : Finding.of(
            Severity.WARN,
            "reservation.overdue",
            "",
            "%d reservation(s) have expired and are not given back, the first %s ago."
                .formatted(holds, seconds(age)),
            "Who needs the units gets them all the same; others see less than there is.",
            "Start a process with an upkeep: any that delivers, or Holdfast.Builder.withUpkeep.",
            Map.of("reservations", holds, "oldest_seconds", Math.round(age)));
  }
}
