package dev.holdfast.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.postgres.reconcile.PostgresRepair;
import dev.holdfast.postgres.reconcile.PostgresSide;
import dev.holdfast.reconcile.Reconciliation;
import dev.holdfast.reconcile.Schedule;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What is measured of scheduled runs between two tables. */
final class ReconcileMetersTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final PGSimpleDataSource database = new PGSimpleDataSource();

  private void execute(String sql) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private double gauge(String name, String... tags) {
    return registry.get("holdfast.reconcile." + name).tags(tags).gauge().value();
  }

  private double counter(String name, String... tags) {
    return registry.get("holdfast.reconcile." + name).tags(tags).counter().count();
  }

  @Test
  void driftItsAgeAndItsRepairAreSeen() throws SQLException {
    try (PostgresServer server = PostgresServer.start()) {
      database.setUrl(server.jdbcUrl());
      execute("create table a (id int primary key, version int, changed_at timestamptz)");
      execute("create table b (id int primary key, version int, changed_at timestamptz)");
      execute("insert into a values (1, 1, now() - interval '1 hour')");
      execute("insert into b values (2, 1, now() - interval '1 hour')");
      PostgresSide source = PostgresSide.table(database, "public", "a").changedAt("changed_at");
      PostgresSide derived = PostgresSide.table(database, "public", "b").changedAt("changed_at");

      ReconcileMeters meters = new ReconcileMeters(registry, "a-b");
      assertThat(gauge("drift.age")).isNaN();
      Reconciliation dry = Reconciliation.of(source, derived).settle(Duration.ZERO).build();
      try (Schedule schedule = dry.every(Duration.ofSeconds(1), meters)) {
        Awaitility.await().until(() -> registry.get("holdfast.reconcile.run").timer().count() >= 2);
      }
      assertThat(registry.get("holdfast.reconcile.drift.age").timeGauge().value(TimeUnit.MINUTES))
          .isGreaterThan(59);
      assertThat(gauge("differences", "drift", "missing")).isEqualTo(1);
      assertThat(gauge("differences", "drift", "extra")).isEqualTo(1);
      assertThat(gauge("left")).isEqualTo(2);

      Reconciliation repairing =
          Reconciliation.of(source, derived)
              .settle(Duration.ZERO)
              .repair(PostgresRepair.copying(source, derived))
              .deleteExtras()
              .build();
      try (Schedule schedule = repairing.every(Duration.ofSeconds(1), meters)) {
        Awaitility.await().until(() -> counter("repaired", "outcome", "done") == 2);
        Awaitility.await().until(() -> gauge("differences", "drift", "missing") == 0);
        assertThat(gauge("drift.age")).isZero();
        execute("drop table b");
        Awaitility.await().until(() -> counter("failures") >= 1);
      }
    }
  }
}
