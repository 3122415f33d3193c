package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;
import org.junit.platform.testkit.engine.EventType;

/** Every run is a test of its own. */
final class CrashTestExtensionTest {

  /** Run by the tests below, and not by itself: its name is not that of a test. */
  static final class Cases {
    static final Set<Object> INSTANCES = ConcurrentHashMap.newKeySet();
    static String orders = "";
    static String invoices = "";

    @BeforeEach
    void remember() {
      INSTANCES.add(this);
    }

    @CrashTest
    void inOneCommit(CrashLab lab) {
      lab.application(Cases::start)
          .operation(TwoTables::inOneCommit)
          .expect(row(orders).byKey("id").once(), row(invoices).byKey("id").once());
    }

    @CrashTest(seed = 7)
    void inTwoCommits(CrashLab lab) {
      lab.application(Cases::start)
          .operation(TwoTables::inTwoCommits)
          .expect(row(orders).byKey("id").once(), row(invoices).byKey("id").once());
    }

    @CrashTest
    void describesNothing(CrashLab lab) {
      assertThat(lab).isNotNull();
    }

    private static TwoTables start(Resources resources) {
      return new TwoTables(resources.dataSource("shop", LabServers.url()), orders, invoices);
    }
  }

  @BeforeEach
  void tables() {
    Cases.INSTANCES.clear();
    Cases.orders = LabServers.table("orders");
    Cases.invoices = LabServers.table("invoices");
  }

  @Test
  void everyRunIsATestWithItsPointInItsName() {
    EngineExecutionResults results = run("inOneCommit");
    results.testEvents().assertStatistics(tests -> tests.started(4).succeeded(4).failed(0));
    assertThat(names(results))
        .satisfiesExactly(
            name -> assertThat(name).isEqualTo("golden run, without any fault"),
            name ->
                assertThat(name)
                    .startsWith("simulated crash before p1 [shop: commit (insert into orders")
                    .contains("TwoTables.inOneCommit(TwoTables.java:"),
            name -> assertThat(name).contains("between effect and acknowledgment of p1"),
            name -> assertThat(name).isEqualTo("simulated crash after the last commit point"));
    assertThat(Cases.INSTANCES).hasSize(4);
  }

  @Test
  void aFailureCarriesTheVerdictAndTheLineThatReplaysIt() {
    EngineExecutionResults results = run("inTwoCommits");
    results.testEvents().assertStatistics(tests -> tests.started(6).succeeded(4).failed(2));
    assertThat(failures(results).get(0))
        .isInstanceOf(CrashTestFailure.class)
        .hasMessageContaining("LOST: row in " + Cases.invoices + " is missing")
        .hasMessageContaining("replay: -Dholdfast.crash.replay=fenced:ack-lost@1-")
        .hasMessageContaining(":seed-7");
  }

  @Test
  void aReplayMakesTheGoldenRunAndThatOne() {
    String id =
        String.valueOf(failures(run("inTwoCommits")).get(1).getMessage())
            .split(CrashTest.REPLAY_PROPERTY + "=", 2)[1]
            .strip();
    tables();
    System.setProperty(CrashTest.REPLAY_PROPERTY, id);
    try {
      EngineExecutionResults results = run("inTwoCommits");
      results.testEvents().assertStatistics(tests -> tests.started(2).succeeded(1).failed(1));
      assertThat(failures(results).get(0)).hasMessageContaining(id);
    } finally {
      System.clearProperty(CrashTest.REPLAY_PROPERTY);
    }
  }

  @Test
  void aTestThatDescribesNoScenarioFails() {
    EngineExecutionResults results = run("describesNothing");
    results.testEvents().assertStatistics(tests -> tests.started(1).failed(1));
    assertThat(failures(results).get(0))
        .isInstanceOf(CrashLabException.class)
        .hasMessageContaining("lab.application(");
  }

  private static EngineExecutionResults run(String method) {
    return EngineTestKit.engine("junit-jupiter")
        .selectors(selectMethod(Cases.class, method, CrashLab.class))
        .execute();
  }

  private static List<String> names(EngineExecutionResults results) {
    return results
        .testEvents()
        .filter(event -> event.getType() == EventType.STARTED)
        .map(event -> event.getTestDescriptor().getDisplayName())
        .toList();
  }

  private static List<Throwable> failures(EngineExecutionResults results) {
    return results
        .testEvents()
        .failed()
        .map(Event::getPayload)
        .flatMap(payload -> payload.stream())
        .map(org.junit.platform.engine.TestExecutionResult.class::cast)
        .flatMap(result -> result.getThrowable().stream())
        .toList();
  }
}
