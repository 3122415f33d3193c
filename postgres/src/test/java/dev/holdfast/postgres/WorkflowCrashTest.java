package dev.holdfast.postgres;

import static dev.holdfast.crashtest.Expect.effect;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.Scenario;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.Seen;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A workflow of five steps, two of which call a provider with a database of its own, crashed at
 * each of its commits and of the provider's: it ends with every effect once, or with every effect
 * undone once.
 */
final class WorkflowCrashTest {
  private static final String SCHEMA = TestDatabase.newSchema();
  private static final int POOL = 6;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final PostgresServer PROVIDER = PostgresServer.start();

  @BeforeAll
  static void begin() throws SQLException {
    PostgresStore.open(TestDatabase.dataSource(), SCHEMA).schema().migrate();
    execute(
        TestDatabase.server().jdbcUrl(),
        "create table %1$s.hold (id text not null); create table %1$s.confirmed (id text not null);"
                .formatted(SCHEMA)
            + "create table %s.released (id text not null)".formatted(SCHEMA));
    execute(
        PROVIDER.jdbcUrl(),
        """
        create table charge (key text primary key, id text not null);
        create table refund (key text primary key, id text not null);
        create table parcel (key text not null, id text not null);
        create table naive (id text not null)
        """);
  }

  @AfterAll
  static void end() {
    PROVIDER.close();
  }

  private static void execute(String url, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** A process that takes orders. */
  private record Shop(Workflows workflows, Workflow<String, String> order, DataSource provider) {
    static Shop start(Resources resources, boolean fails) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(resources.dataSource("database", TestDatabase.server().jdbcUrl()));
      config.setMaximumPoolSize(POOL);
      config.setMinimumIdle(POOL);
      HikariDataSource pool = new HikariDataSource(config);
      resources.onStop(pool);
      // The relay loses the next answer, which is not to be that to a new connection.
      Awaitility.await()
          .atMost(PATIENCE)
          .until(() -> pool.getHikariPoolMXBean().getTotalConnections() == POOL);
      DataSource provider = resources.dataSource("provider", PROVIDER.jdbcUrl());
      Workflow<String, String> order = order(provider, fails);
      Holdfast holdfast =
          Holdfast.on(pool)
              .schema(SCHEMA)
              .schemaManagedElsewhere()
              .workflow(order)
              .workflows(
                  WorkflowSettings.DEFAULT
                      .withLease(Duration.ofSeconds(1))
                      .withPollInterval(Duration.ofMillis(50)))
              .start();
      resources.onStop(holdfast);
      return new Shop(holdfast.workflows(), order, provider);
    }

    private static Workflow<String, String> order(DataSource provider, boolean fails) {
      return Workflow.define(
          fails ? "failing-order" : "order",
          1,
          String.class,
          String.class,
          (flow, id) -> {
            flow.step("hold")
                .compensate(tx -> tx.update("insert into " + SCHEMA + ".released values (?)", id))
                .transact(tx -> tx.update("insert into " + SCHEMA + ".hold values (?)", id));
            flow.step("charge", String.class)
                .keyKeptFor(Duration.ofDays(1))
                .retry(Retry.CALL.withWaits(Duration.ofMillis(10), Duration.ofMillis(100)))
                .compensate(
                    (key, charge) ->
                        update(
                            provider,
                            "insert into refund select key, id from charge where key = ?"
                                + " on conflict do nothing",
                            key))
                .call(
                    key -> {
                      update(
                          provider,
                          "insert into charge values (?, ?) on conflict do nothing",
                          key,
                          id);
                      return key;
                    });
            if (fails) {
              throw new IllegalStateException("out of stock");
            }
            flow.step("ship", String.class)
                .lookup(key -> has(provider, key) ? Seen.happened(key) : Seen.notYet())
                .settleAfter(Duration.ofMillis(100))
                .retry(Retry.CALL.withWaits(Duration.ofMillis(10), Duration.ofMillis(100)))
                .call(
                    key -> {
                      update(provider, "insert into parcel values (?, ?)", key, id);
                      return key;
                    });
            flow.pivot();
            flow.step("confirm")
                .transact(tx -> tx.update("insert into " + SCHEMA + ".confirmed values (?)", id));
            return id;
          });
    }

    private static void update(DataSource provider, String sql, String... values)
        throws SQLException {
      try (Connection connection = provider.getConnection();
          PreparedStatement statement = connection.prepareStatement(sql)) {
        for (int i = 0; i < values.length; i++) {
          statement.setString(i + 1, values[i]);
        }
        statement.executeUpdate();
      }
    }

    private static boolean has(DataSource provider, String key) throws SQLException {
      try (Connection connection = provider.getConnection();
          PreparedStatement statement =
              connection.prepareStatement("select 1 from parcel where key = ?")) {
        statement.setString(1, key);
        try (ResultSet rows = statement.executeQuery()) {
          return rows.next();
        }
      }
    }

    void take(String key) throws InterruptedException {
      workflows.start(order, key, key);
      assertThat(workflows.result(order, key, PATIENCE)).contains(key);
    }

    void takeAndFail(String key) throws InterruptedException {
      workflows.start(order, key, key);
      try {
        workflows.result(order, key, PATIENCE);
        throw new AssertionError("The run has ended with a result.");
      } catch (RunFailed expected) {
        assertThat(expected).hasMessageContaining("out of stock");
      }
    }

    /** One call after the other, and all of it again by whoever does not know. */
    void takeWithoutAWorkflow(String key) throws SQLException {
      update(provider, "insert into naive values (?)", key);
      update(provider, "insert into parcel values (?, ?)", key, key);
    }
  }

  private static Scenario<Shop> scenario(CrashLab lab, boolean fails, Scenario.Work<Shop> work) {
    return lab.application(resources -> Shop.start(resources, fails))
        .operation(work)
        .recoveredByRetry(2)
        .ignoring("workflow_executor")
        .ignoring("workflow_claim")
        .ignoring("workflow_bury");
  }

  private static int atTheProvider(String table, String key) {
    try (Connection connection = DriverManager.getConnection(PROVIDER.jdbcUrl());
        PreparedStatement statement =
            connection.prepareStatement("select count(*) from " + table + " where id = ?")) {
      statement.setString(1, key);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** In the ordinary build {@link PostgresWorkflowConformanceTest} has these and more points. */
  @Tag("long")
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"workflow.step", "workflow.recovery"})
  void everyEffectIsThereOnce(CrashLab lab) {
    scenario(lab, false, Shop::take)
        .expect(
            row(SCHEMA + ".hold").in("database").byKey("id").once(),
            effect("provider", "charge", key -> atTheProvider("charge", key)).times(1),
            effect("provider", "parcel", key -> atTheProvider("parcel", key)).times(1),
            row(SCHEMA + ".confirmed").in("database").byKey("id").once());
  }

  @Tag("long")
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"workflow.step", "workflow.undo", "workflow.call.undone"})
  void everyEffectIsUndoneOnce(CrashLab lab) {
    scenario(lab, true, Shop::takeAndFail)
        .expect(
            row(SCHEMA + ".hold").in("database").byKey("id").once(),
            effect("provider", "charge", key -> atTheProvider("charge", key)).times(1),
            effect("provider", "refund", key -> atTheProvider("refund", key)).times(1),
            row(SCHEMA + ".released").in("database").byKey("id").once());
  }

  @Test
  void callsWithoutAWorkflowAreMadeTwice() {
    ExplorationReport report =
        CrashLab.explore(
            "without a workflow",
            CrashLab.Options.defaults(),
            lab ->
                scenario(lab, false, Shop::takeWithoutAWorkflow)
                    .expect(
                        effect("provider", "naive", key -> atTheProvider("naive", key)).times(1),
                        effect("provider", "parcel", key -> atTheProvider("parcel", key))
                            .times(1)));
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }
}
