package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What does not come to an end after a crash. */
final class StuckTest {
  private String orders = "";

  @BeforeEach
  void table() {
    orders = LabServers.keyedTable("orders");
  }

  @Test
  void aCallerThatNeverLearnsTheOutcome() {
    // The retry of what has happened is refused by the primary key, again and again.
    ExplorationReport report = explore(scenario -> scenario.retrySameKey(2));
    assertThat(report.findings()).extracting(Finding::verdict).containsExactly(Verdict.STUCK);
    assertThat(report.findings().findFirst().orElseThrow().text())
        .contains("after 2 retries")
        .contains("duplicate key");
  }

  @Test
  void anApplicationThatDoesNotStartAgain() {
    ExplorationReport report =
        explore(
            scenario ->
                scenario.recover(
                    service -> {
                      throw new SQLException("the journal is damaged");
                    }));
    assertThat(report.runs().stream().skip(1))
        .allSatisfy(
            run -> {
              assertThat(run.findings())
                  .extracting(Finding::verdict)
                  .containsExactly(Verdict.STUCK);
              assertThat(run.findings().get(0).text()).contains("the journal is damaged");
            });
  }

  @Test
  void aRecoveryThatDoesNotReturn() {
    ExplorationReport report =
        explore(
            scenario ->
                scenario
                    .attemptTimeout(Duration.ofMillis(500))
                    .recover(service -> new CountDownLatch(1).await()));
    assertThat(report.runs().stream().skip(1))
        .allSatisfy(
            run ->
                assertThat(run.findings())
                    .singleElement()
                    .satisfies(
                        finding -> {
                          assertThat(finding.verdict()).isEqualTo(Verdict.STUCK);
                          assertThat(finding.text()).contains("has not returned within 500 ms");
                        }));
  }

  @Test
  void anApplicationThatIsNeverIdleAgain() {
    ExplorationReport report =
        explore(
            scenario ->
                scenario
                    .recover(service -> service.recovering = true)
                    .quiesce(Duration.ofMillis(200), service -> !service.recovering));
    assertThat(report.runs().stream().skip(1).flatMap(run -> run.findings().stream()))
        .isNotEmpty()
        .allSatisfy(
            finding -> {
              assertThat(finding.verdict()).isEqualTo(Verdict.STUCK);
              // At least the time that it was given; on a busy machine, more.
              assertThat(finding.text())
                  .containsPattern("is not idle after ([2-9]\\d\\d ms|\\d.* s)");
            });
    assertThat(report.runs().stream().filter(run -> !run.passed()).map(RunReport::isGolden))
        .containsOnly(false);
  }

  private static final class Service {
    private final TwoTables tables;
    private volatile boolean recovering;

    Service(TwoTables tables) {
      this.tables = tables;
    }
  }

  private ExplorationReport explore(Consumer<Scenario<Service>> more) {
    return CrashLab.explore(
        "stuck",
        CrashLab.Options.defaults(),
        lab ->
            more.accept(
                lab.application(
                        resources ->
                            new Service(
                                new TwoTables(
                                    resources.dataSource("shop", LabServers.url()),
                                    orders,
                                    orders)))
                    .operation(
                        (service, key) -> {
                          try (Connection connection = service.tables.dataSource.getConnection()) {
                            TwoTables.insert(connection, orders, key);
                          }
                        })
                    .expect(row(orders).byKey().once())));
  }
}
