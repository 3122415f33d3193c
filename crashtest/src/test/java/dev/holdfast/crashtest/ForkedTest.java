package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.record;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.crashtest.resource.KafkaBroker;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real crashes, of JVMs of their own. */
final class ForkedTest {

  /** In another JVM nothing of this one is there but what is shared. */
  static final class DatabaseThenBroker implements Consumer<CrashLab> {
    static String orders = "";
    static String topic = "";

    @Override
    public void accept(CrashLab lab) {
      String url = lab.share("url", LabServers::url);
      String table = lab.share("orders", () -> orders);
      String events = lab.share("topic", () -> topic);
      KafkaBroker broker = lab.shareBroker("broker", () -> LabServers.Kafka.BROKER);
      lab.application(
              resources ->
                  new OrderService(
                      resources.dataSource("shop", url),
                      resources.producer("kafka", broker, Map.of()),
                      table,
                      events))
          .operation(OrderService::databaseThenBroker)
          .expect(row(table).byKey().once(), record(events).byKey().once());
    }
  }

  @Tag("long")
  @Test
  void aForkedCrashShowsWhatASimulatedOneShows() {
    DatabaseThenBroker.orders = LabServers.keyedTable("orders");
    DatabaseThenBroker.topic = LabServers.Kafka.topic("order-events");
    ExplorationReport report =
        CrashLab.explore(
            "forked",
            CrashLab.Options.defaults().withCarriers(Carrier.FORKED, Carrier.FENCED),
            new DatabaseThenBroker());
    assertThat(report.runs()).hasSize(13).allMatch(run -> run.problem() == null);
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.LOST);
    assertThat(failed(report))
        .extracting(run -> run.replayId().replaceAll("-[0-9a-f]{4}:.*", ""))
        .containsExactly(
            "fenced:ack-lost@1",
            "fenced:before@2",
            "fenced:buffered@2",
            "forked:ack-lost@1",
            "forked:before@2",
            "forked:buffered@2");
    assertThat(failed(report).get(3).title())
        .startsWith("forked crash between effect and acknowledgment of p1");
  }

  @Test
  void aRetryAndASecondCrashWorkAcrossJvms() {
    Recovering.orders = LabServers.table("orders");
    ExplorationReport all =
        CrashLab.explore(
            "simulated twice",
            CrashLab.Options.defaults().withCrashesDuringRecovery(1).withPairs(true),
            new Recovering());
    assertThat(all.runs()).allMatch(RunReport::passed);
    // All of them would take a minute, and differ in nothing that depends on where they are made.
    for (Phase phase : List.of(Phase.RECOVERY, Phase.RETRY)) {
      String id = secondFaultIn(phase, all).replace("fenced:", "forked:");
      // The id's seed makes the same key, which has left its effects.
      Recovering.orders = LabServers.table("orders");
      ExplorationReport report =
          CrashLab.explore(
              "forked twice", CrashLab.Options.defaults().withReplay(id), new Recovering());
      assertThat(report.runs()).hasSize(3).allMatch(RunReport::passed);
      assertThat(report.runs().get(2).replayId()).isEqualTo(id);
    }
  }

  private static String secondFaultIn(Phase phase, ExplorationReport report) {
    return report.runs().stream()
        .filter(run -> run.replayId().matches("fenced:ack-lost@1-....\\+before@1-....:.*"))
        .filter(run -> Objects.requireNonNull(run.faults().get(1).point()).phase() == phase)
        .map(RunReport::replayId)
        .findFirst()
        .orElseThrow();
  }

  /** Writes a mark at every start, and an order that is written once. */
  static final class Recovering implements Consumer<CrashLab> {
    static String orders = "";

    @Override
    public void accept(CrashLab lab) {
      String url = lab.share("url", LabServers::url);
      String table = lab.share("orders", () -> orders);
      lab.application(
              resources -> {
                TwoTables service = new TwoTables(resources.dataSource("shop", url), table, table);
                insert(service, "started");
                return service;
              })
          .operation(
              (service, key) -> {
                try (java.sql.Connection connection = service.dataSource.getConnection();
                    java.sql.Statement statement = connection.createStatement()) {
                  statement.execute(
                      "insert into %1$s select '%2$s' where not exists (select 1 from %1$s where id = '%2$s')"
                          .formatted(table, key));
                }
              })
          .retrySameKey(2)
          .expect(row(table).byKey("id").once());
    }

    private static void insert(TwoTables service, String id) throws java.sql.SQLException {
      try (java.sql.Connection connection = service.dataSource.getConnection()) {
        TwoTables.insert(connection, service.orders, id);
      }
    }
  }

  @Test
  void aScenarioFromALambdaCannotBeForked() {
    String orders = LabServers.table("orders");
    ExplorationReport report =
        CrashLab.explore(
            "lambda",
            CrashLab.Options.defaults().withCarriers(Carrier.FORKED),
            lab ->
                lab.application(
                        resources ->
                            new TwoTables(
                                resources.dataSource("shop", LabServers.url()), orders, orders))
                    .operation(TwoTables::inOneCommit)
                    .expect(row(orders).byKey("id").times(2)));
    Problem problem = Objects.requireNonNull(report.runs().get(0).problem());
    assertThat(problem.kind()).isEqualTo(Problem.Kind.INCOMPLETE_SCENARIO);
  }

  private static List<RunReport> failed(ExplorationReport report) {
    return report.runs().stream().filter(run -> !run.passed()).toList();
  }
}
