package dev.holdfast.postgres.reconcile;

import static dev.holdfast.crashtest.Expect.effect;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.reconcile.Reconciliation;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A run that finds a missing row and one that is stale, and repairs them, crashed at each commit.
 */
final class RepairCrashTest {
  private static final PostgresServer SERVER = PostgresServer.start();
  private static HikariDataSource direct;

  @BeforeAll
  static void createTables() {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(SERVER.jdbcUrl());
    config.setMaximumPoolSize(5);
    config.setMinimumIdle(0);
    direct = new HikariDataSource(config);
    for (String table : new String[] {"source", "derived"}) {
      TwoTables.execute(
          direct, "create table " + table + " (id text primary key, version bigint, name text)");
    }
    TwoTables.execute(direct, "create table copied (id text, name text)");
    TwoTables.execute(direct, "create table told (id text primary key)");
  }

  /** A process that reconciles. */
  private record Reconciler(DataSource dataSource) {
    static Reconciler start(Resources resources) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(resources.dataSource("database", SERVER.jdbcUrl()));
      config.setMaximumPoolSize(4);
      config.setMinimumIdle(0);
      HikariDataSource pool = new HikariDataSource(config);
      resources.onStop(pool);
      return new Reconciler(pool);
    }

    void run(String key) throws InterruptedException {
      PostgresSide source = PostgresSide.table(dataSource, "public", "source").key("id");
      PostgresSide derived = PostgresSide.table(dataSource, "public", "derived").key("id");
      Reconciliation.of(source, derived)
          .settle(Duration.ZERO)
          .repair(PostgresRepair.copying(source, derived))
          .build()
          .run();
    }

    /** As it is often done: what is repaired is noted, so as not to be looked at again. */
    void copy(String key) {
      if (TwoTables.execute(dataSource, "insert into told values (?) on conflict do nothing", key)
          == 1) {
        TwoTables.execute(
            dataSource,
            "insert into copied select id, name from source where id like ? || '-%'",
            key);
      }
    }
  }

  private static void drift(String key) {
    TwoTables.execute(direct, "insert into source values (?, 2, 'new')", key + "-missing");
    TwoTables.execute(direct, "insert into source values (?, 2, 'new')", key + "-stale");
    TwoTables.execute(direct, "insert into derived values (?, 1, 'old')", key + "-stale");
  }

  private static int count(String table, String key) {
    return TwoTables.query(
            direct,
            "select id from %s where name = 'new' and id like '%s-%%'".formatted(table, key))
        .size();
  }

  @CrashTest(
      carriers = {Carrier.FENCED, Carrier.LOST_ACK},
      crashesDuringRecovery = 1)
  @Attacks({"reconcile.found", "reconcile.nothing-newer"})
  void aRunThatIsCutOffIsRunAgain(CrashLab lab) {
    lab.application(Reconciler::start)
        .given(RepairCrashTest::drift)
        .operation(Reconciler::run)
        .recoveredByRetry(2)
        .expect(effect("database", "repaired row", key -> count("derived", key)).times(2));
  }

  /** What is noted as repaired, and then repaired, is told to be done where that was cut off. */
  @Test
  void whatIsNotedBeforeItIsRepairedIsSaidToBe() {
    ExplorationReport report =
        CrashLab.explore(
            "noted before",
            CrashLab.Options.defaults(),
            lab ->
                lab.application(Reconciler::start)
                    .given(RepairCrashTest::drift)
                    .operation(Reconciler::copy)
                    .recoveredByRetry(2)
                    .expect(
                        effect("database", "copied row", key -> count("copied", key)).times(2)));
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.MISREPORTED);
  }
}
