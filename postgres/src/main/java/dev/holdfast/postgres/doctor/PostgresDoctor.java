package dev.holdfast.postgres.doctor;

import dev.holdfast.HoldfastException;
import dev.holdfast.SchemaMismatch;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.postgres.PostgresStore;
import dev.holdfast.twophase.Participant;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Examines a database and the outbox in it. Thread-safe; changes nothing. Uses up to two
 * connections at a time; each statement is bounded by ten seconds, those to participants excepted,
 * which their own data sources bound.
 */
public final class PostgresDoctor {
  private static final Duration LONGEST_STATEMENT = Duration.ofSeconds(10);

  private final DataSource dataSource;
  private final String schema;
  private final Limits limits;
  private final InstantSource clock;

  /**
   * @param clock this machine's, to compare the database's with
   * @throws dev.holdfast.InvalidConfiguration when the schema's name cannot be used
   */
  public PostgresDoctor(DataSource dataSource, String schema, Limits limits, InstantSource clock) {
    this.dataSource = dataSource;
    this.schema = schema;
    this.limits = limits;
    this.clock = clock;
    PostgresStore.open(dataSource, schema);
  }

  /** Whose rights the database user is to have. */
  public enum Role {
    WRITER,
    RELAY,
    ADMIN
  }

  /** As {@link #examine(Role, Map)}, with no participant named. */
  public List<Finding> examine(@Nullable Role role) {
    return examine(role, Map.of());
  }

  /**
   * Asks everything. Never throws for what it finds: a database that does not answer is a finding.
   *
   * @param role whose rights are a must; when {@code null}, those of any will do
   * @param participants databases that take part in operations of this one, by their names, with
   *     what connects to each; what is prepared there is looked at, too
   */
  public List<Finding> examine(
      @Nullable Role role, Map<String, Supplier<Participant>> participants) {
    List<Finding> findings = new ArrayList<>();
    if (!ask(connected(), findings)) {
      return List.copyOf(findings);
    }
    List<Check> checks = new ArrayList<>(ServerChecks.ALL);
    checks.addAll(TransactionChecks.ALL);
    checks.addAll(PoolerChecks.ALL);
    checks.add(schemaVersion());
    checks.forEach(check -> ask(check, findings));
    boolean unusable =
        findings.stream()
            .anyMatch(
                each -> each.id().equals("schema.version") && each.severity() == Severity.FAIL);
    if (!unusable) {
      ofTables(role).forEach(check -> ask(check, findings));
      findings.addAll(ofParticipants(participants));
    }
    // Every check may have met the pooler's mix-up: once is enough.
    return findings.stream().distinct().toList();
  }

  /** Of those that are named what is there, of the others that they were not asked. */
  List<Finding> ofParticipants(Map<String, Supplier<Participant>> participants) {
    List<Finding> findings = new ArrayList<>();
    ask(TwoPhaseChecks.notAsked(participants.keySet()), findings);
    participants.forEach((name, open) -> ask(ParticipantChecks.of(name, open), findings));
    return findings;
  }

  /** One check, whose findings' ids begin with its own. */
  List<Finding> only(String id) {
    List<Check> all = new ArrayList<>(ServerChecks.ALL);
    all.addAll(TransactionChecks.ALL);
    all.addAll(PoolerChecks.ALL);
    all.add(schemaVersion());
    all.addAll(ofTables(null));
    List<Finding> findings = new ArrayList<>();
    all.stream()
        .filter(check -> check.id().equals(id) || id.startsWith(check.id() + "."))
        .forEach(check -> ask(check, findings));
    return findings;
  }

  private static List<Check> ofTables(@Nullable Role role) {
    List<Check> checks = new ArrayList<>(ChannelChecks.ALL);
    checks.addAll(StorageChecks.ALL);
    checks.addAll(ConsumerChecks.ALL);
    checks.addAll(TwoPhaseChecks.ALL);
    checks.addAll(WorkflowChecks.ALL);
    checks.addAll(EventLogChecks.ALL);
    checks.addAll(ProjectionChecks.ALL);
    checks.add(RightsCheck.of(role));
    return checks;
  }

  /**
   * What is to be delivered, for those who examine the targets.
   *
   * @throws HoldfastException when the database or its tables do not tell
   */
  public Deliveries deliveries() {
    return Deliveries.read(dataSource, schema);
  }

  /**
   * Where consumers of a log are, ten thousand partitions at most, for those who examine the log.
   *
   * @throws HoldfastException when the database or its tables do not tell
   */
  public List<Reading> readings() {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement =
            connection.prepareStatement(Reading.ALL.replace("${schema}", schema))) {
      statement.setQueryTimeout((int) LONGEST_STATEMENT.toSeconds());
      statement.setInt(1, Reading.MOST);
      List<Reading> readings = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          Long kept = row.getObject("ids_kept_ms", Long.class);
          readings.add(
              new Reading(
                  row.getString("consumer"),
                  row.getString("topic"),
                  row.getObject("topic_id", UUID.class),
                  row.getInt("partition_no"),
                  row.getLong("next_offset"),
                  Duration.ofMillis(row.getLong("unmoved_ms")),
                  row.getBoolean("reads"),
                  kept == null ? null : Duration.ofMillis(kept)));
        }
      }
      return readings;
    } catch (SQLException e) {
      throw new HoldfastException(
          "SQLState %s: %s".formatted(e.getSQLState(), String.valueOf(e.getMessage()).strip()), e);
    }
  }

  /** Runs a check in a transaction of its own; false when there was no answer. */
  private boolean ask(Check check, List<Finding> findings) {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Patient patient =
            new Patient(
                dataSource,
                PostgresStore.open(dataSource, schema),
                schema,
                connection,
                limits,
                clock);
        patient.bound(LONGEST_STATEMENT);
        findings.addAll(check.work().examine(patient));
        return true;
      } finally {
        if (!connection.isClosed()) {
          connection.rollback();
          connection.setAutoCommit(true);
        }
      }
    } catch (SQLException e) {
      String message =
          "There was no answer (SQLState %s: %s)."
              .formatted(
                  e.getSQLState(), String.valueOf(e.getMessage()).replaceAll("\\s+", " ").strip());
      findings.add(noAnswer(check.id(), message, e));
      PoolerChecks.mixedUp(e).ifPresent(findings::add);
    } catch (HoldfastException e) {
      findings.add(noAnswer(check.id(), String.valueOf(e.getMessage()), e));
      PoolerChecks.mixedUp(e).ifPresent(findings::add);
    }
    return false;
  }

  private static Finding noAnswer(String id, String message, Exception error) {
    Throwable cause = error instanceof SQLException ? error : error.getCause();
    String state = cause instanceof SQLException sql ? String.valueOf(sql.getSQLState()) : "";
    String remedy =
        switch (state) {
          case "42501" -> "holdfast schema print --roles; then: grant holdfast_admin to this user";
          case "42P05", "26000" -> "See pooler.prepared-statements.";
          case "28P01", "28000" -> "Check HOLDFAST_USER and HOLDFAST_PASSWORD.";
          case "57014", "55P03" -> "Ask again when there is less to do: it took too long.";
          default ->
              id.equals("database.connection")
                  ? "Check --database, and that the server runs and lets this user in."
                  : "Ask again; if it stays, the words in brackets are the server's own.";
        };
    return Finding.unknown(id, "", message, remedy);
  }

  private static Check connected() {
    return new Check(
        "database.connection",
        patient -> {
          Finding found =
              patient.one(
                  "select current_user, current_database(), current_setting('server_version')",
                  row ->
                      Finding.ok(
                          "database.connection",
                          "",
                          "Connected as " + row.getString(1) + " to " + row.getString(2) + ".",
                          Map.of(
                              "user", row.getString(1),
                              "database", row.getString(2),
                              "server_version", row.getString(3))));
          return List.of(found);
        });
  }

  private static Check schemaVersion() {
    return new Check(
        "schema.version",
        patient -> {
          try {
            patient.store().schema().verify();
          } catch (SchemaMismatch e) {
            return List.of(
                Finding.of(
                    Severity.FAIL,
                    "schema.version",
                    patient.schema(),
                    String.valueOf(e.getMessage()),
                    "This version of Holdfast does not start. Channels, storage and rights were not examined.",
                    "holdfast schema migrate --schema " + patient.schema(),
                    Map.of()));
          }
          int known = patient.store().schema().status().size();
          int newest =
              patient.one(
                  "select max(version) from ${schema}.schema_version", row -> row.getInt(1));
          Map<String, Object> evidence = Map.of("version", newest, "known", known);
          return List.of(
              newest > known
                  ? Finding.of(
                      Severity.WARN,
                      "schema.version",
                      patient.schema(),
                      "The tables are at version %d, and this program knows %d."
                          .formatted(newest, known),
                      "An upgrade is under way: this version works on the next one's tables, not beyond.",
                      "Upgrade the processes that are left, this program among them.",
                      evidence)
                  : Finding.ok(
                      "schema.version",
                      patient.schema(),
                      "The tables are at version " + newest + ".",
                      evidence));
        });
  }
}
