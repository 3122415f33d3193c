package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Crashes of what comes after a crash. */
final class SecondFaultTest {
  private String orders = "";
  private String invoices = "";
  private String todo = "";

  @BeforeEach
  void tables() {
    orders = LabServers.table("orders");
    invoices = LabServers.table("invoices");
    todo = LabServers.table("todo");
  }

  /** Right by itself; its recovery forgets that it can be crashed as well. */
  private final class Shop {
    private final TwoTables tables;

    Shop(Resources resources) {
      tables = new TwoTables(resources.dataSource("shop", LabServers.url()), orders, invoices);
    }

    void place(String key) throws SQLException {
      try (Connection connection = tables.dataSource.getConnection()) {
        connection.setAutoCommit(false);
        TwoTables.insert(connection, orders, key);
        TwoTables.insert(connection, todo, key);
        connection.commit();
        invoice(connection);
        done(connection);
        connection.commit();
      }
    }

    void recoverCarelessly() throws SQLException {
      try (Connection connection = tables.dataSource.getConnection()) {
        invoice(connection);
        done(connection);
      }
    }

    void recoverCarefully() throws SQLException {
      try (Connection connection = tables.dataSource.getConnection()) {
        connection.setAutoCommit(false);
        invoice(connection);
        done(connection);
        connection.commit();
      }
    }

    void order(String key) throws SQLException {
      try (Connection connection = tables.dataSource.getConnection()) {
        TwoTables.insert(connection, orders, key);
      }
    }

    void note() {
      try (Connection connection = tables.dataSource.getConnection()) {
        TwoTables.insert(connection, todo, "note");
      } catch (SQLException e) {
        // It was crashed.
      }
    }

    private void invoice(Connection connection) throws SQLException {
      execute(connection, "insert into " + invoices + " select id from " + todo);
    }

    private void done(Connection connection) throws SQLException {
      execute(connection, "delete from " + todo);
    }

    private static void execute(Connection connection, String sql) throws SQLException {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    }
  }

  @Test
  void aRecoveryThatMustNotBeCrashedPassesAsLongAsItIsNot() {
    assertThat(explore(Shop::recoverCarelessly, 0).runs()).hasSize(6).allMatch(RunReport::passed);
  }

  @Test
  void aRecoveryThatMustNotBeCrashedIsFoundByASecondCrash() {
    ExplorationReport report = explore(Shop::recoverCarelessly, 1);
    assertThat(report.runs()).allMatch(run -> run.problem() == null);
    List<RunReport> failed = report.runs().stream().filter(run -> !run.passed()).toList();
    assertThat(failed).isNotEmpty();
    assertThat(failed)
        .allSatisfy(
            run -> {
              assertThat(run.faults()).hasSize(2);
              assertThat(run.faults().get(1).point())
                  .matches(point -> point != null && point.phase() == Phase.RECOVERY);
              assertThat(run.title()).contains(", then simulated crash ");
              assertThat(run.findings())
                  .extracting(Finding::verdict)
                  .containsExactly(Verdict.DUPLICATE);
            });
  }

  @Test
  void aCarefulRecoveryStandsIt() {
    ExplorationReport report = explore(Shop::recoverCarefully, 1);
    // Each of five crashes, and a recovery of one point after each, crashed in two ways.
    assertThat(report.runs()).hasSize(1 + 5 + 5 * 2).allMatch(RunReport::passed);
  }

  @Test
  void pairsCrashTheRetryToo() {
    String keyed = LabServers.keyedTable("orders");
    String other = LabServers.keyedTable("invoices");
    ExplorationReport report =
        CrashLab.explore(
            "pairs",
            CrashLab.Options.defaults().withPairs(true),
            lab ->
                lab.application(
                        resources ->
                            new TwoTables(
                                resources.dataSource("shop", LabServers.url()), keyed, other))
                    .operation(
                        (service, key) -> {
                          try (Connection connection = service.dataSource.getConnection()) {
                            TwoTables.insertOnce(connection, keyed, key);
                            TwoTables.insertOnce(connection, other, key);
                          }
                        })
                    .recoveredByRetry(1)
                    .expect(row(keyed).byKey().once(), row(other).byKey().once()));
    // Four of the five crashes lead to a retry, which passes two points.
    assertThat(report.runs()).hasSize(1 + 5 + 4 * 4).allMatch(RunReport::passed);
    assertThat(report.runs())
        .filteredOn(run -> run.faults().size() == 2)
        .allMatch(run -> run.title().contains("retry t"));
  }

  @Test
  void aSecondPointInTheBackgroundThatDoesNotComeIsTriedAgain() {
    assertThat(exploreWithBackground(recovery -> recovery != 3).runs())
        .hasSizeGreaterThan(2)
        .allMatch(RunReport::passed)
        .filteredOn(
            run ->
                run.notes().stream()
                    .anyMatch(
                        note -> note.startsWith("Made for the 2. time: before, POINT_NOT_REACHED")))
        .hasSize(1);
  }

  @Test
  void aSecondPointInTheBackgroundThatNeverComesFails() {
    assertThat(exploreWithBackground(recovery -> recovery <= 2).runs())
        .filteredOn(run -> run.faults().size() == 2)
        .isNotEmpty()
        .allSatisfy(
            run ->
                assertThat(run.problem())
                    .matches(
                        problem ->
                            problem != null && problem.kind() == Problem.Kind.POINT_NOT_REACHED));
  }

  @Test
  void aPointThatOneOfTwoRecoveriesPassesIsNotedAndLeftAlone() {
    assertThat(exploreWithBackground(recovery -> recovery == 1).runs())
        .hasSize(4)
        .allMatch(RunReport::passed)
        .filteredOn(run -> run.notes().stream().anyMatch(note -> note.contains("one of two runs")))
        .hasSize(1);
  }

  @Test
  void aReplayWhoseSecondPointDoesNotComeFails() {
    String id =
        exploreWithBackground("", recovery -> true).runs().stream()
            .filter(run -> run.faults().size() == 2)
            .findFirst()
            .orElseThrow()
            .replayId();
    // The same keys again, so tables of their own.
    tables();
    assertThat(exploreWithBackground(id, recovery -> true).runs()).allMatch(RunReport::passed);
    tables();
    assertThat(exploreWithBackground(id, recovery -> false).runs())
        .extracting(RunReport::problem)
        .filteredOn(problem -> problem != null)
        .extracting(Problem::kind)
        .containsExactly(Problem.Kind.UNKNOWN_REPLAY);
  }

  @Test
  void whatTheSecondOfTwoRecoveriesDoesWrongIsFound() {
    AtomicInteger recoveries = new AtomicInteger();
    ExplorationReport report =
        explore(
            shop -> {
              if (recoveries.incrementAndGet() % 2 == 1) {
                shop.recoverCarefully();
              }
            },
            1);
    assertThat(report.findings())
        .isNotEmpty()
        .allMatch(finding -> finding.verdict() == Verdict.LOST);
  }

  /** Crashed before its only point, and what a thread of its own commits after a restart. */
  private ExplorationReport exploreWithBackground(IntPredicate commits) {
    return exploreWithBackground("", commits);
  }

  private ExplorationReport exploreWithBackground(String replay, IntPredicate commits) {
    AtomicInteger recoveries = new AtomicInteger();
    CrashLab.Options all = CrashLab.Options.defaults().withCrashesDuringRecovery(1);
    CrashLab.Options options = replay.isEmpty() ? all : all.withReplay(replay);
    try (Explorer explorer = new Explorer("background", options, "")) {
      while (explorer.hasNext() && explorer.report().runs().size() < 8) {
        RunPlan plan = explorer.next();
        CrashLab lab = new CrashLab();
        lab.application(Shop::new)
            .operation(Shop::order)
            .recover(
                shop -> {
                  if (commits.test(recoveries.incrementAndGet())) {
                    Thread noteTaker = new Thread(shop::note, "note-taker");
                    noteTaker.start();
                    noteTaker.join();
                  }
                })
            .quiesce(Duration.ofMillis(500))
            .expect(row(orders).byKey("id").once());
        explorer.execute(plan, lab);
      }
      return explorer.report();
    }
  }

  private ExplorationReport explore(Scenario.Step<Shop> recovery, int crashesDuringRecovery) {
    return CrashLab.explore(
        "place",
        CrashLab.Options.defaults().withCrashesDuringRecovery(crashesDuringRecovery),
        lab ->
            lab.application(Shop::new)
                .operation(Shop::place)
                .recover(recovery)
                .expect(row(orders).byKey("id").once(), row(invoices).byKey("id").once()));
  }
}
