package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Clinic.ill;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The server, set ill and well again. */
final class ServerChecksTest {
  private static final Duration BOUND = Duration.ofSeconds(30);
  private final Clinic clinic = Clinic.healthy();

  @Test
  void healthyDatabaseHasNothingButGoodFindings() {
    List<Finding> findings = clinic.examine(Limits.DEFAULT);

    assertThat(findings).extracting(Finding::severity).containsOnly(Severity.OK);
    assertThat(findings)
        .extracting(Finding::id)
        .doesNotHaveDuplicates()
        .contains(
            "database.connection",
            "database.primary",
            "database.version",
            "database.fsync",
            "database.full-page-writes",
            "database.synchronous-commit",
            "database.connections",
            "database.wraparound",
            "database.clock",
            "roles.statistics",
            "transactions.horizon",
            "transactions.publishers",
            "transactions.prepared",
            "replication.slots",
            "replication.slot-limit",
            "pooler.mode",
            "pooler.listen",
            "schema.version",
            "channel.state",
            "channel.leader",
            "channel.lag",
            "channel.parked",
            "channel.delayed",
            "storage.segments",
            "storage.upkeep",
            "storage.retention",
            "storage.runway",
            "storage.autovacuum",
            "roles.rights");
  }

  @Test
  void databaseThatDoesNotAnswerIsOneFinding() {
    String nowhere = "jdbc:postgresql://127.0.0.1:1/none?user=nobody&password=hush";
    List<Finding> findings =
        new PostgresDoctor(
                Clinic.source(nowhere), "holdfast", Limits.DEFAULT, InstantSource.system())
            .examine(null);

    assertThat(findings).extracting(Finding::id).containsExactly("database.connection");
    ill(findings.get(0), Severity.UNKNOWN);
    assertThat(findings.toString()).doesNotContain("hush");
  }

  @Test
  void settingsThatGiveDurabilityUpAreFound() throws SQLException {
    setting("fsync", "off", "database.fsync", Severity.FAIL);
    setting("full_page_writes", "off", "database.full-page-writes", Severity.FAIL);
    setting("synchronous_commit", "off", "database.synchronous-commit", Severity.WARN);
    setting("autovacuum", "off", "storage.autovacuum", Severity.WARN);
  }

  private void setting(String name, String value, String id, Severity severity)
      throws SQLException {
    clinic.execute("alter system set " + name + " = " + value, "select pg_reload_conf()");
    try {
      await().atMost(BOUND).until(() -> clinic.one(id).severity() == severity);
      ill(clinic.one(id), severity);
    } finally {
      clinic.execute("alter system reset " + name, "select pg_reload_conf()");
    }
    await().atMost(BOUND).until(() -> clinic.one(id).severity() == Severity.OK);
  }

  @Test
  void settingOfARoleIsFound() throws SQLException {
    clinic.execute("create role hasty", "alter role hasty set synchronous_commit = off");

    assertThat(ill(clinic.one("database.synchronous-commit"), Severity.WARN).found())
        .contains("role hasty");
    clinic.execute("drop role hasty");
  }

  @Test
  void connectionsNearTheirMaximumAreCounted() throws SQLException {
    List<Connection> many = new ArrayList<>();
    try {
      for (int i = 0; i < 16; i++) {
        many.add(clinic.connect());
      }
      assertThat(ill(clinic.one("database.connections"), Severity.WARN).evidence().get("used"))
          .isEqualTo(17);
    } finally {
      for (Connection each : many) {
        each.close();
      }
    }
    await().atMost(BOUND).until(() -> clinic.one("database.connections").severity() == Severity.OK);
  }

  @Test
  void ageOfTheOldestRowIsMeasured() {
    Number measured = (Number) clinic.one("database.wraparound").evidence().get("transactions");
    assertThat(measured).isNotNull();
    long age = Objects.requireNonNull(measured).longValue();
    assertThat(age).isGreaterThan(8);

    ill(clinic.one("database.wraparound", frozenAge(age / 2)), Severity.WARN);
    ill(clinic.one("database.wraparound", frozenAge(age / 8)), Severity.FAIL);
  }

  private static Limits frozenAge(long age) {
    Limits d = Limits.DEFAULT;
    return new Limits(
        d.lag(),
        d.leaderless(),
        d.transaction(),
        d.keys(),
        d.overdue(),
        d.clocks(),
        age,
        d.horizonAge(),
        d.inDoubt(),
        d.decided());
  }

  @Test
  void clocksThatAreApartAreFound() {
    assertThat(ill(clock(Duration.ofMinutes(-1)), Severity.WARN).evidence().get("difference_ms"))
        .satisfies(ms -> assertThat(((Number) ms).longValue()).isBetween(50_000L, 70_000L));
    ill(clock(Duration.ofHours(1)), Severity.FAIL);
  }

  private Finding clock(Duration ahead) {
    InstantSource shifted = () -> InstantSource.system().instant().plus(ahead);
    return new PostgresDoctor(clinic.dataSource, "holdfast", Limits.DEFAULT, shifted)
        .examine(null).stream()
            .filter(each -> each.id().equals("database.clock"))
            .findFirst()
            .orElseThrow();
  }

  @Test
  void standbyIsRefusedAndItsQueryHoldsThePrimarysHorizon() throws SQLException {
    try (PostgresServer standby =
        PostgresServer.builder()
            .standbyOf(Clinic.SERVER)
            .setting("hot_standby_feedback", "on")
            .setting("wal_receiver_status_interval", "1s")
            .start()) {
      List<Finding> there =
          new PostgresDoctor(
                  Clinic.source(standby.jdbcUrl(clinic.database)),
                  "holdfast",
                  Limits.DEFAULT,
                  InstantSource.system())
              .examine(null);
      assertThat(there)
          .filteredOn(each -> each.id().equals("database.primary"))
          .first()
          .satisfies(each -> ill(each, Severity.FAIL));

      Limits d = Limits.DEFAULT;
      Limits none =
          new Limits(
              d.lag(),
              d.leaderless(),
              d.transaction(),
              d.keys(),
              d.overdue(),
              d.clocks(),
              d.frozenAge(),
              0,
              d.inDoubt(),
              d.decided());
      await()
          .atMost(BOUND)
          .until(
              () ->
                  clinic.of("transactions.horizon", none).stream()
                      .anyMatch(each -> "standby".equals(each.evidence().get("kind"))));
    }
  }
}
