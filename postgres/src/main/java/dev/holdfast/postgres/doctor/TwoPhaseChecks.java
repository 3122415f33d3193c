package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Patient.seconds;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.twophase.store.Heuristic;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Operations across databases, as far as one database tells: the one that decides, or one that
 * takes part. What is prepared in others is asked by {@link ParticipantChecks}.
 */
final class TwoPhaseChecks {
  static final String RECOVER = "holdfast recover --participant %s=URL";

  static final List<Check> ALL =
      List.of(
          new Check("twophase.decisions", TwoPhaseChecks::decisions),
          new Check("twophase.heuristics", TwoPhaseChecks::heuristics),
          new Check("twophase.proposals", TwoPhaseChecks::proposals),
          new Check("twophase.obeys", TwoPhaseChecks::obeys),
          new Check("twophase.slots", TwoPhaseChecks::slots));

  /** The most that is told of a kind. */
  private static final int MOST = 10;

  private TwoPhaseChecks() {}

  /** By participant: those that it has not been compared with. The table holds minutes of work. */
  private static final String DECISIONS =
      """
      select p.name, count(d.serial) as decisions,
             coalesce(extract(epoch from clock_timestamp() - min(d.decided_at)), 0)::float8 as seconds
      from ${schema}.participant p
      left join ${schema}.decision d on d.serial > p.cleaned and p.name = any (d.participants)
      group by p.name order by seconds desc, p.name
      """;

  private static List<Finding> decisions(Patient patient) throws SQLException {
    double longest = patient.limits().decided().toMillis() / 1000.0;
    List<Finding> result = patient.many(DECISIONS, row -> decisions(row, longest));
    return result.isEmpty()
        ? List.of(
            Finding.ok("twophase.decisions", "No other database takes part in operations here."))
        : result;
  }

  private static Finding decisions(ResultSet row, double longest) throws SQLException {
    String name = row.getString("name");
    long count = row.getLong("decisions");
    double age = row.getDouble("seconds");
    Map<String, Object> evidence = new LinkedHashMap<>();
    evidence.put("decisions", count);
    evidence.put("oldest_seconds", Math.round(age));
    if (count == 0 || age < longest) {
      return Finding.ok(
          "twophase.decisions",
          name,
          count == 0
              ? "No decision waits for being compared with this participant."
              : "%d decision(s) are kept for this participant, the oldest for %s."
                  .formatted(count, seconds(age)),
          evidence);
    }
    return Finding.of(
        Severity.WARN,
        "twophase.decisions",
        name,
        "%d decision(s) that concern participant %s are not forgotten, the oldest of which is %s old."
            .formatted(count, name, seconds(age)),
        "Whether all of them were carried out there has not been looked at since. No process with this participant runs, it cannot be reached, a branch there is in doubt (nothing is forgotten beyond it), or keepDecisions is as long.",
        RECOVER.formatted(name) + " --watch",
        evidence);
  }

  private static List<Finding> heuristics(Patient patient) throws SQLException {
    List<Finding> result =
        patient.many(
            """
            select gid, participant, coalesce(operation_id, '') as operation, kind,
                   extract(epoch from clock_timestamp() - found_at)::float8 as seconds
            from ${schema}.heuristic where acknowledged_at is null
            order by found_at desc limit ?
            """,
            TwoPhaseChecks::heuristic,
            MOST);
    return result.isEmpty()
        ? List.of(
            Finding.ok(
                "twophase.heuristics",
                "No branch is known to have been ended otherwise than decided, but for those that somebody took note of."))
        : result;
  }

  private static Finding heuristic(ResultSet row) throws SQLException {
    String gid = row.getString("gid");
    String operation = row.getString("operation");
    Heuristic.Kind kind = Heuristic.Kind.valueOf(row.getString("kind"));
    return Finding.of(
        Severity.FAIL,
        "twophase.heuristics",
        gid,
        "At participant %s, %s%s; it was found %s ago."
            .formatted(
                row.getString("participant"),
                kind.text(),
                operation.isEmpty() ? "" : ", of operation " + operation,
                seconds(row.getDouble("seconds"))),
        meaning(kind),
        remedy(kind, gid),
        Map.of(
            "gid", gid,
            "participant", row.getString("participant"),
            "operation", operation,
            "kind", kind.name(),
            "age_seconds", Math.round(row.getDouble("seconds"))));
  }

  private static String meaning(Heuristic.Kind kind) {
    return switch (kind) {
      case ROLLED_BACK ->
          "What the operation did in the other databases stands, and its part there is missing. Nothing repairs that by itself.";
      case COMMITTED ->
          "Its part there stands, and what the operation did in the other databases was rolled back. Nothing repairs that by itself.";
      case TOO_OLD ->
          "It keeps its locks, and nobody ends it but a person who knows whether the operation happened.";
    };
  }

  private static String remedy(Heuristic.Kind kind, String gid) {
    String acknowledge =
        "holdfast recover --acknowledge %s --note 'WHO, and what was done'".formatted(gid);
    return switch (kind) {
      case ROLLED_BACK -> "Do there what is missing; then: " + acknowledge;
      case COMMITTED -> "Undo it there, or do the rest of it here; then: " + acknowledge;
      case TOO_OLD ->
          "If the operation's effects are in the deciding database, type there: commit prepared '%1$s'; if not: rollback prepared '%1$s'; then: %2$s"
              .formatted(gid, acknowledge);
    };
  }

  private static List<Finding> proposals(Patient patient) throws SQLException {
    List<Finding> result =
        patient.many(
            """
            select name from ${schema}.participant where next_claim is not null order by name limit ?
            """,
            row -> {
              String name = row.getString(1);
              return Finding.of(
                  Severity.WARN,
                  "twophase.proposals",
                  name,
                  "A new claim of participant %s was begun and has not been confirmed."
                      .formatted(name),
                  "A process is at it just now, or died at it; the next one that has this participant goes on with it. Until then nothing of operations of this database is rolled back there.",
                  RECOVER.formatted(name),
                  Map.of("participant", name));
            },
            MOST);
    return result.isEmpty()
        ? List.of(Finding.ok("twophase.proposals", "No claim of a participant is left half made."))
        : result;
  }

  private static final String CLAIMS =
      """
      select store_id::text as store, participant, place, started,
             previous_started is not null as replaces,
             extract(epoch from clock_timestamp() - claimed_at)::float8 as seconds,
             greatest(extract(epoch from settles_at - clock_timestamp()), 0)::float8 as settles_in
      from ${schema}.claim order by settles_in desc, store_id, participant limit ?
      """;

  private static List<Finding> obeys(Patient patient) throws SQLException {
    List<Finding> result = patient.many(CLAIMS, TwoPhaseChecks::obeys, MOST);
    return result.isEmpty()
        ? List.of(Finding.ok("twophase.obeys", "This database takes part in nobody's operations."))
        : result;
  }

  private static Finding obeys(ResultSet row) throws SQLException {
    double settlesIn = row.getDouble("settles_in");
    Map<String, Object> evidence = new LinkedHashMap<>();
    evidence.put("store", row.getString("store"));
    evidence.put("participant", row.getString("participant"));
    evidence.put("place", row.getString("place"));
    evidence.put("started", row.getString("started"));
    evidence.put("claimed_seconds", Math.round(row.getDouble("seconds")));
    evidence.put("settles_in_seconds", (long) Math.ceil(settlesIn));
    String subject = row.getString("participant") + " of " + row.getString("store");
    if (settlesIn <= 0) {
      return Finding.ok(
          "twophase.obeys",
          subject,
          "As participant %s it obeys the store %s, by its server at %s, started %s."
              .formatted(
                  row.getString("participant"),
                  row.getString("store"),
                  row.getString("place"),
                  row.getString("started")),
          evidence);
    }
    return Finding.of(
        Severity.WARN,
        "twophase.obeys",
        subject,
        "A server at %s, started %s, has claimed this database for the store %s %s ago; the claim settles in %s."
            .formatted(
                row.getString("place"),
                row.getString("started"),
                row.getString("store"),
                seconds(row.getDouble("seconds")),
                seconds(Math.ceil(settlesIn))),
        "Until then a server that held it before may object, and nothing of that store is rolled back here. That server was restarted, or promoted, or it is a copy of the one that decides.",
        "Wait. If that server is a copy, stop it: the original takes its claim back at its next look.",
        evidence);
  }

  private static final String SLOTS =
      """
      select current_setting('max_prepared_transactions')::integer as slots,
             (select count(*) from pg_prepared_xacts)::integer as used,
             (select count(*) from pg_prepared_xacts where gid ~ '^hf:')::integer as ours,
             exists (select from ${schema}.claim) as takes_part
      """;

  private static List<Finding> slots(Patient patient) throws SQLException {
    return patient.many(
        SLOTS,
        row -> {
          int slots = row.getInt("slots");
          int used = row.getInt("used");
          if (!row.getBoolean("takes_part")) {
            return Finding.ok("twophase.slots", "Nobody's operations prepare anything here.");
          }
          Map<String, Object> evidence = new LinkedHashMap<>();
          evidence.put("max_prepared_transactions", slots);
          evidence.put("used", used);
          evidence.put("of_holdfast", row.getInt("ours"));
          return slots(slots, used, row.getInt("ours"), evidence);
        });
  }

  private static Finding slots(int slots, int used, int ours, Map<String, Object> evidence) {
    if (slots == 0) {
      return Finding.of(
          Severity.FAIL,
          "twophase.slots",
          "",
          "This database takes part in operations of others, and max_prepared_transactions is 0.",
          "Nothing can be prepared here, so that every such operation that writes here fails; nothing of it is committed anywhere.",
          "alter system set max_prepared_transactions = 200; -- then restart this server, its standbys first",
          evidence);
    }
    String found =
        "%d of %d slots for prepared transactions are used, %d of them by Holdfast."
            .formatted(used, slots, ours);
    if (used * 100L < slots * 80L) {
      return Finding.ok("twophase.slots", "", found, evidence);
    }
    return Finding.of(
        used * 100L < slots * 95L ? Severity.WARN : Severity.FAIL,
        "twophase.slots",
        "",
        found,
        "When none is left, operations that write here fail, and are committed nowhere.",
        "See transactions.prepared for what keeps them. If that is ordinary work: alter system set max_prepared_transactions = %d; -- then restart this server, its standbys first"
            .formatted(slots * 2),
        evidence);
  }

  /** Participants that are registered and were not named, so that nobody was asked there. */
  static Check notAsked(Set<String> named) {
    return new Check(
        "twophase.in-doubt",
        patient -> {
          List<Finding> result = new ArrayList<>();
          patient.many(
              "select name, place from ${schema}.participant order by name",
              row -> {
                String name = row.getString(1);
                return named.contains(name)
                    || result.add(
                        new Finding(
                            "twophase.in-doubt",
                            Severity.NOT_ASKED,
                            name,
                            "Participant %s, last seen at %s, is not named."
                                .formatted(name, row.getString(2)),
                            "What is prepared there and waits for a decision was not looked at.",
                            "holdfast doctor --participant %s=URL".formatted(name),
                            Map.of("participant", name)));
              });
          return result.isEmpty() && named.isEmpty()
              ? List.of(
                  Finding.ok("twophase.in-doubt", "There is no participant that could be asked."))
              : result;
        });
  }
}
