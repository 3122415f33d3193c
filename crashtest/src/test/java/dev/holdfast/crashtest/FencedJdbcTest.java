package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.crashtest.resource.ProcessCrashed;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Simulated crashes of tiny operations, right ones and wrong ones. */
final class FencedJdbcTest {
  private String orders = "";
  private String invoices = "";

  @BeforeEach
  void tables() {
    orders = LabServers.table("orders");
    invoices = LabServers.table("invoices");
  }

  @Test
  void oneCommitIsWholeWhereverItCrashes() {
    ExplorationReport report = explore(TwoTables::inOneCommit, 0);
    assertThat(report.runs()).allMatch(RunReport::passed);
    assertThat(report.points()).hasSize(1);
    assertThat(stages(report)).containsExactly(Stage.BEFORE, Stage.ACK_LOST, Stage.AFTER_LAST);
  }

  @Test
  void twoCommitsLoseTheSecondEffectAndTheReportNamesBothLines() {
    ExplorationReport report = explore(TwoTables::inTwoCommits, 0);
    assertThat(report.points()).hasSize(2);
    assertThat(report.runs()).hasSize(6);
    List<RunReport> failed = report.runs().stream().filter(run -> !run.passed()).toList();
    assertThat(failed)
        .extracting(run -> run.faults().get(0).stage(), run -> run.faults().get(0).number())
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(Stage.ACK_LOST, 1),
            org.assertj.core.groups.Tuple.tuple(Stage.BEFORE, 2));
    assertThat(report.findings())
        .allSatisfy(
            finding -> {
              assertThat(finding.verdict()).isEqualTo(Verdict.LOST);
              assertThat(finding.text())
                  .contains("row in " + invoices + " is missing")
                  .containsPattern("to be made at TwoTables\\.insert\\(TwoTables\\.java:\\d+\\)")
                  .contains("row in " + orders + " (made at TwoTables.insert");
            });
    assertThat(failed.get(1).title())
        .contains("simulated crash")
        .contains("before p2 [shop: commit")
        .contains("inTwoCommits(TwoTables.java:");
  }

  @Test
  void theSecondEffectFirstIsAPhantom() {
    ExplorationReport report = explore(TwoTables::inTwoCommitsTheOtherWayRound, 0);
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.PHANTOM);
    assertThat(report.findings()).hasSize(2);
  }

  @Test
  void aRetryThatDoesItAgainIsADuplicate() {
    ExplorationReport report = explore(TwoTables::inOneCommit, 2);
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.DUPLICATE);
    // Only where the effect was there and the caller could not know.
    assertThat(report.runs().stream().filter(run -> !run.passed()))
        .extracting(run -> run.faults().get(0).stage())
        .containsExactly(Stage.ACK_LOST);
  }

  @Test
  void anIdempotentRetryIsNot() {
    orders = LabServers.keyedTable("orders");
    invoices = LabServers.keyedTable("invoices");
    ExplorationReport report =
        explore(
            (service, key) -> {
              try (Connection connection = service.dataSource.getConnection()) {
                connection.setAutoCommit(false);
                TwoTables.insertOnce(connection, service.orders, key);
                TwoTables.insertOnce(connection, service.invoices, key);
                connection.commit();
              }
            },
            2);
    assertThat(report.runs()).hasSize(4).allMatch(RunReport::passed);
  }

  @Test
  void aServiceThatCatchesThrowableAndCarriesOnHasNoEffectAnyMore() {
    AtomicInteger caught = new AtomicInteger();
    ExplorationReport report =
        explore(
            (service, key) -> {
              String[] tables = {service.orders, service.invoices};
              for (String table : tables) {
                boolean done = false;
                for (int i = 0; i < 10 && !done; i++) {
                  done = insertOrShrug(service, table, key, caught);
                }
              }
            },
            0);
    assertThat(caught.get()).isPositive();
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.LOST);
    assertThat(report.runs().stream().filter(run -> !run.passed())).hasSize(2);
  }

  private static boolean insertOrShrug(
      TwoTables service, String table, String key, AtomicInteger caught) {
    try (Connection connection = service.dataSource.getConnection()) {
      TwoTables.insert(connection, table, key);
      return true;
    } catch (Throwable e) {
      caught.incrementAndGet();
      return false;
    }
  }

  @Test
  void finallyBlocksOfADeadProcessHaveNoEffect() {
    ExplorationReport report =
        explore(
            (service, key) -> {
              try (Connection first = service.dataSource.getConnection();
                  Connection second = service.dataSource.getConnection()) {
                try {
                  TwoTables.insert(first, service.orders, key);
                } finally {
                  TwoTables.insert(second, service.invoices, key);
                }
              }
            },
            0);
    // Before the first: nothing, although the finally block ran on a connection that was open.
    assertThat(report.runs().stream().filter(run -> !run.passed()))
        .extracting(run -> run.faults().get(0).id().replaceAll("-[0-9a-f]{4}$", ""))
        .containsExactly("ack-lost@1", "before@2");
  }

  @Test
  void claimingThatNothingHappenedIsMisreporting() {
    ExplorationReport report =
        CrashLab.explore(
            "claims",
            CrashLab.Options.defaults(),
            lab ->
                lab.application(this::start)
                    .operation(
                        (service, key) -> {
                          try {
                            service.inOneCommit(key);
                            if (isThere(orders, key) > 1) {
                              throw new SQLException("twice");
                            }
                          } catch (SQLException e) {
                            throw new IllegalStateException("not placed", e);
                          }
                        })
                    .refusedBy(IllegalStateException.class)
                    .retrySameKey(1)
                    .expect(row(orders).byKey("id").once()));
    // The retry does it again, notices, and says that nothing was done.
    assertThat(report.findings())
        .extracting(Finding::verdict)
        .containsExactly(Verdict.MISREPORTED, Verdict.DUPLICATE);
  }

  private static int isThere(String table, String key) throws SQLException {
    try (Connection connection = java.sql.DriverManager.getConnection(LabServers.url());
        java.sql.PreparedStatement statement =
            connection.prepareStatement("select count(*) from " + table + " where id = ?")) {
      statement.setString(1, key);
      try (java.sql.ResultSet rows = statement.executeQuery()) {
        rows.next();
        return rows.getInt(1);
      }
    }
  }

  @Test
  void acknowledgingBeforeDoingLosesWhatThreadsInTheBackgroundHold() {
    ExplorationReport report =
        CrashLab.explore(
            "later",
            CrashLab.Options.defaults(),
            lab ->
                lab.application(
                        resources -> {
                          ExecutorService executor = Executors.newSingleThreadExecutor();
                          resources.onStop(executor::shutdownNow);
                          return new Later(start(resources), executor);
                        })
                    .operation(Later::place)
                    .quiesce(java.time.Duration.ofMillis(500))
                    .expect(row(orders).byKey("id").once(), row(invoices).byKey("id").once()));
    assertThat(report.points()).hasSize(2);
    assertThat(report.points().get(1).role().thread()).isEqualTo("pool-#-thread-#");
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.LOST);
    assertThat(report.runs().stream().filter(run -> !run.passed())).hasSize(2);
  }

  /** Places the order, and leaves the invoice to a thread in the background. */
  private record Later(TwoTables service, ExecutorService executor) {
    void place(String key) throws SQLException {
      try (Connection connection = service.dataSource.getConnection()) {
        TwoTables.insert(connection, service.orders, key);
      }
      executor.execute(
          () -> {
            try (Connection connection = service.dataSource.getConnection()) {
              TwoTables.insert(connection, service.invoices, key);
            } catch (SQLException e) {
              throw new IllegalStateException(e);
            }
          });
    }
  }

  @Test
  void theDeadMeetTheCrashAtEveryUse() {
    java.util.List<Throwable> met = new java.util.concurrent.CopyOnWriteArrayList<>();
    explore(
        (service, key) -> {
          Connection connection = service.dataSource.getConnection();
          try {
            TwoTables.insert(connection, service.orders, key);
            TwoTables.insert(connection, service.invoices, key);
          } catch (ProcessCrashed e) {
            met.add(meets(() -> connection.prepareStatement("select 1")));
            met.add(meets(connection::rollback));
            met.add(meets(service.dataSource::getConnection));
            assertThat(connection.isClosed()).isTrue();
            throw e;
          } finally {
            connection.close();
          }
        },
        0);
    assertThat(met).isNotEmpty().allMatch(e -> e instanceof ProcessCrashed);
  }

  private static Throwable meets(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return org.assertj.core.api.Assertions.catchThrowable(call);
  }

  private TwoTables start(Resources resources) {
    return new TwoTables(resources.dataSource("shop", LabServers.url()), orders, invoices);
  }

  private ExplorationReport explore(Scenario.Work<TwoTables> operation, int retries) {
    return CrashLab.explore(
        "order and invoice",
        CrashLab.Options.defaults(),
        lab ->
            lab.application(this::start)
                .operation(operation)
                .retrySameKey(retries)
                .expect(row(orders).byKey("id").once(), row(invoices).byKey("id").once()));
  }

  private static List<Stage> stages(ExplorationReport report) {
    return report.runs().stream()
        .flatMap(run -> run.faults().stream())
        .map(dev.holdfast.crashtest.report.Fault::stage)
        .toList();
  }
}
