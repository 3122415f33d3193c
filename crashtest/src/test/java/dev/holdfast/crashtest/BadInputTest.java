package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.RunReport;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What says nothing about an operation is a failure of its own kind, and never a pass. */
final class BadInputTest {
  private String orders = "";

  @BeforeEach
  void table() {
    orders = LabServers.table("orders");
  }

  @Test
  void anOperationWithoutCommitPoints() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(
                        (service, key) -> {
                          // Past the lab.
                          try (Connection connection =
                              DriverManager.getConnection(LabServers.url())) {
                            TwoTables.insert(connection, orders, key);
                          }
                        })
                    .expect(row(orders).byKey("id").once()));
    assertOnlyProblem(report, Problem.Kind.NO_COMMIT_POINTS, "no commit points");
  }

  @Test
  void aGoldenRunThatFails() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(
                        (service, key) -> {
                          throw new SQLException("out of stock");
                        })
                    .expect(row(orders).byKey("id").once()));
    assertOnlyProblem(report, Problem.Kind.GOLDEN_RUN_FAILED, "out of stock");
  }

  @Test
  void aGoldenRunThatDoesNotDoWhatIsExpected() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(BadInputTest::insert)
                    .expect(row(orders).byKey("id").times(2)));
    assertOnlyProblem(report, Problem.Kind.GOLDEN_RUN_FAILED, "1, expected 2");
  }

  @Test
  void anApplicationThatDoesNotStart() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(
                        resources -> {
                          throw new SQLException("no such host");
                        })
                    .operation((service, key) -> {})
                    .expect(row(orders).byKey("id").once()));
    assertOnlyProblem(report, Problem.Kind.GOLDEN_RUN_FAILED, "no such host");
  }

  @Test
  void effectsThatDoNotSettle() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(
                        (service, key) -> {
                          insert(service, key);
                          Thread more = new Thread(() -> insertUntilItFails(service, key), "more");
                          more.setDaemon(true);
                          more.start();
                        })
                    .quiesce(Duration.ofMillis(400))
                    .expect(row(orders).byKey("id").once()));
    assertOnlyProblem(report, Problem.Kind.DOES_NOT_SETTLE, "still change");
  }

  private static void insertUntilItFails(TwoTables service, String key) {
    try {
      for (int i = 0; i < 1_000_000; i++) {
        insert(service, key);
      }
    } catch (SQLException e) {
      // The process has ended.
    }
  }

  @Test
  void anExpectationOnAResourceThatWasNeverWrapped() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(BadInputTest::insert)
                    .expect(row(orders).in("warehouse").byKey("id").once()));
    assertOnlyProblem(report, Problem.Kind.NOT_WRAPPED, "warehouse");
  }

  @Test
  void aPointThatIsNotReachedAgain() {
    AtomicInteger calls = new AtomicInteger();
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(
                        (service, key) -> {
                          insert(service, key);
                          if (calls.incrementAndGet() == 1) {
                            insert(service, key + "-first");
                          }
                        })
                    .expect(row(orders).byKey("id").once()));
    assertThat(report.runs())
        .filteredOn(run -> run.problem() != null)
        .extracting(run -> Objects.requireNonNull(run.problem()).kind())
        .contains(Problem.Kind.POINT_NOT_REACHED)
        .isSubsetOf(Problem.Kind.POINT_NOT_REACHED, Problem.Kind.POINT_MOVED);
    assertThat(report.passed()).isFalse();
  }

  @Test
  void aPointThatMovesBetweenRuns() {
    AtomicInteger calls = new AtomicInteger();
    String log = LabServers.table("log");
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(
                        (service, key) -> {
                          boolean logFirst = calls.incrementAndGet() > 1;
                          try (Connection connection = service.dataSource.getConnection()) {
                            TwoTables.insert(connection, logFirst ? log : orders, key);
                            TwoTables.insert(connection, logFirst ? orders : log, key);
                          }
                        })
                    .expect(row(orders).byKey("id").once()));
    assertThat(report.runs().stream().skip(1))
        .isNotEmpty()
        .noneMatch(RunReport::passed)
        .anyMatch(run -> kind(run) == Problem.Kind.POINT_MOVED);
  }

  @Test
  void aKeyThatIsInUse() {
    CrashLab.Options options = CrashLab.Options.defaults();
    Consumer<CrashLab> scenario =
        lab ->
            lab.application(this::start)
                .operation(BadInputTest::insert)
                .expect(row(orders).byKey("id").once());
    assertThat(CrashLab.explore("first", options, scenario).passed()).isTrue();
    assertOnlyProblem(
        CrashLab.explore("second", options, scenario), Problem.Kind.KEY_IN_USE, "seed");
  }

  @Test
  void aReplayIdThatNamesNothing() {
    ExplorationReport report =
        CrashLab.explore(
            "replay",
            CrashLab.Options.defaults().withReplay("fenced:before@7-0000:seed-5"),
            lab ->
                lab.application(this::start)
                    .operation(BadInputTest::insert)
                    .expect(row(orders).byKey("id").once()));
    assertOnlyProblem(report, Problem.Kind.UNKNOWN_REPLAY, "fenced:before@7-0000");
  }

  private static Problem.@org.jspecify.annotations.Nullable Kind kind(RunReport run) {
    Problem problem = run.problem();
    return problem == null ? null : problem.kind();
  }

  private static void assertOnlyProblem(ExplorationReport report, Problem.Kind kind, String text) {
    assertThat(report.runs()).hasSize(1);
    Problem problem = Objects.requireNonNull(report.runs().get(0).problem());
    assertThat(problem.kind()).isEqualTo(kind);
    assertThat(problem.text()).contains(text);
    assertThat(report.passed()).isFalse();
  }

  private TwoTables start(Resources resources) {
    return new TwoTables(resources.dataSource("shop", LabServers.url()), orders, orders);
  }

  private static void insert(TwoTables service, String key) throws SQLException {
    try (Connection connection = service.dataSource.getConnection()) {
      TwoTables.insert(connection, service.orders, key);
    }
  }

  private static ExplorationReport explore(Consumer<CrashLab> scenario) {
    return CrashLab.explore("bad input", CrashLab.Options.defaults(), scenario);
  }
}
