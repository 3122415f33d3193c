package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A thread of the application's own that does the operation's work, statement by statement. */
final class EachPointTest {
  private static final String INSERT = "insert into ";

  private static ExplorationReport explore(String each) {
    String orders = LabServers.table("orders");
    return CrashLab.explore(
        "two commits in the background",
        CrashLab.Options.defaults(),
        lab ->
            lab.application(
                    resources ->
                        new TwoTables(
                            resources.dataSource("shop", LabServers.url()), orders, orders))
                .operation(
                    (shop, key) -> {
                      Thread worker = new Thread(() -> insertTwice(shop, orders, key), "worker-1");
                      worker.start();
                      worker.join();
                    })
                .eachOf(each)
                .quiesce(Duration.ofMillis(500))
                .expect(row(orders).byKey("id").times(2)));
  }

  private static void insertTwice(TwoTables shop, String table, String key) {
    try {
      for (int i = 0; i < 2; i++) {
        try (java.sql.Connection connection = shop.dataSource.getConnection()) {
          TwoTables.insert(connection, table, key);
        }
      }
    } catch (java.sql.SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void eachOfItsCommitsIsAPointWhereTheScenarioSaysSo() {
    ExplorationReport report = explore("worker-");

    assertThat(report.points())
        .hasSize(2)
        .allMatch(point -> point.role().detail().contains(INSERT));
    // Each of two points before and behind, and the end.
    assertThat(report.runs()).hasSize(1 + 5).allMatch(run -> run.problem() == null);
    assertThat(report.runs().stream().filter(run -> !run.passed()))
        .hasSize(2)
        .extracting(run -> run.replayId().replaceAll("-[0-9a-f]{4}:.*", ""))
        .containsExactly("fenced:ack-lost@1", "fenced:before@2");
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.LOST);
  }

  @Test
  void elseTheFirstAlone() {
    ExplorationReport report = explore("nobody");

    assertThat(report.points()).hasSize(1);
    assertThat(report.runs()).hasSize(1 + 3).extracting(RunReport::problem).containsOnlyNulls();
  }
}
