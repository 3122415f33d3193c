package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Drills on small tables: what they excuse, and what they do not. */
final class DrillCarrierTest {
  private final String orders = LabServers.table("orders");
  private final String invoices = LabServers.table("invoices");

  private ExplorationReport explore(@Nullable Drill drill) {
    return CrashLab.explore(
        "drill",
        CrashLab.Options.defaults().withCarriers(Carrier.DRILL),
        lab -> {
          Scenario<TwoTables> scenario =
              lab.application(
                      resources ->
                          new TwoTables(
                              resources.dataSource("shop", LabServers.url()), orders, invoices))
                  .operation(TwoTables::inOneCommit)
                  .expect(row(orders).byKey("id").once(), row(invoices).byKey("id").once());
          if (drill != null) {
            scenario.drill(drill);
          }
        });
  }

  private Drill emptying(String table) {
    return Drill.of(table + " comes back empty", () -> LabServers.execute("delete from " + table));
  }

  private Drill doubling(String table) {
    return Drill.of(
        table + " comes back twice",
        () -> LabServers.execute("insert into " + table + " select * from " + table));
  }

  @Test
  void whatTheFirstResourceLosesIsExcusedWhenTheDrillMayLose() {
    ExplorationReport report = explore(emptying(orders).losing());
    assertThat(report.runs()).hasSize(4).allMatch(RunReport::passed);
    assertThat(report.runs().get(2).title()).startsWith("drill between effect and acknowledgment");
    assertThat(report.runs().get(2).notes())
        .anyMatch(note -> note.contains(orders + " comes back empty"));
  }

  @Test
  void otherwiseItIsNot() {
    assertThat(explore(emptying(orders)).findings())
        .extracting(Finding::verdict)
        .containsOnly(Verdict.PHANTOM);
  }

  @Test
  void whatIsMissingThoughTheFirstEffectIsThereIsLostInAnyDrill() {
    assertThat(explore(emptying(invoices).losing().repeating()).findings())
        .extracting(Finding::verdict)
        .containsOnly(Verdict.LOST);
  }

  @Test
  void repeatsAreExcusedWhenTheDrillMayRepeat() {
    assertThat(explore(doubling(invoices).repeating()).runs()).allMatch(RunReport::passed);
    assertThat(explore(doubling(invoices)).findings())
        .extracting(Finding::verdict)
        .containsOnly(Verdict.DUPLICATE);
  }

  @Test
  void theCarrierWithoutADrillAndADrillThatFailsArePlainFailures() {
    assertThat(explore(null).runs().get(0).problem())
        .extracting(Problem::kind)
        .isEqualTo(Problem.Kind.INCOMPLETE_SCENARIO);
    Drill failing =
        Drill.of(
            "a backup that is not there",
            () -> {
              throw new IllegalStateException("no backup");
            });
    assertThat(explore(failing).runs().get(1).problem())
        .extracting(Problem::text)
        .asString()
        .contains("a backup that is not there", "no backup");
  }
}
