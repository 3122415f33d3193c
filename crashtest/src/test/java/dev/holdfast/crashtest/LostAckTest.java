package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.record;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.report.Verdict;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Answers that get lost on the way, of operations that live on. */
final class LostAckTest {
  private String orders = "";

  @BeforeEach
  void table() {
    orders = LabServers.table("orders");
  }

  @Test
  void aLostAnswerToACommitIsNotAFailure() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(
                        (service, key) -> {
                          try {
                            service.inOneCommit(key);
                          } catch (SQLException e) {
                            throw new IllegalStateException("The order was not placed", e);
                          }
                        })
                    .refusedBy(IllegalStateException.class)
                    .expect(row(orders).byKey("id").times(2)));
    assertThat(report.runs()).hasSize(2);
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.MISREPORTED);
    assertThat(report.runs().get(1).title())
        .startsWith("lost acknowledgment of p1 [shop: commit (insert into orders");
  }

  @Test
  void tryingAgainByItselfIsADuplicate() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(
                        (service, key) -> {
                          try {
                            insert(service, key);
                          } catch (SQLException e) {
                            insert(service, key);
                          }
                        })
                    .expect(row(orders).byKey("id").once()));
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.DUPLICATE);
  }

  @Test
  void theLossOfTheOperationsOwnAnswerIsTriedWhereCallersRetry() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(LostAckTest::insert)
                    .recoveredByRetry(1)
                    .expect(row(orders).byKey("id").once()));
    assertThat(report.runs().stream().skip(1))
        .extracting(run -> run.faults().get(0).stage())
        .containsExactly(Stage.ACK_LOST, Stage.REPLY_LOST);
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.DUPLICATE);
    assertThat(report.findings()).hasSize(2);
  }

  @Test
  void anUnknownOutcomeThatIsToldAsSuchIsRight() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(this::start)
                    .operation(LostAckTest::insert)
                    .expect(row(orders).byKey("id").once()));
    assertThat(report.runs()).hasSize(2).allMatch(RunReport::passed);
  }

  @Test
  void aDataSourceThatTheLabCannotGetBehindCannotLoseAnswers() {
    ExplorationReport report =
        explore(
            lab ->
                lab.application(
                        resources -> {
                          org.postgresql.ds.PGSimpleDataSource real =
                              new org.postgresql.ds.PGSimpleDataSource();
                          real.setUrl(LabServers.url());
                          return new TwoTables(resources.dataSource("shop", real), orders, orders);
                        })
                    .operation(LostAckTest::insert)
                    .expect(row(orders).byKey("id").once()));
    Problem problem = Objects.requireNonNull(report.runs().get(1).problem());
    assertThat(problem.kind()).isEqualTo(Problem.Kind.FAULT_NOT_MADE);
    assertThat(problem.text()).contains("by its URL");
  }

  @Test
  void kafkasProducerAsksAgainByItselfAndTheReportSaysSo() {
    String topic = LabServers.Kafka.topic("events");
    ExplorationReport report = exploreSend(topic, Map.of());
    assertThat(report.runs()).hasSize(2).allMatch(RunReport::passed);
    assertThat(report.runs().get(1).notes()).singleElement().asString().contains("absorbed");
  }

  @Test
  void aProducerThatDoesNotAskAgainLeavesItToTheCaller() {
    String topic = LabServers.Kafka.topic("events");
    ExplorationReport report =
        exploreSend(topic, Map.of("retries", "0", "enable.idempotence", "false"));
    assertThat(report.findings()).extracting(Finding::verdict).containsExactly(Verdict.DUPLICATE);
    assertThat(report.runs().get(1).notes()).isEmpty();
  }

  @Test
  void theLostAnswerToATransactionsCommitIsAbsorbed() {
    String topic = LabServers.Kafka.topic("events");
    ExplorationReport report =
        explore(
            lab ->
                lab.application(
                        resources -> {
                          Producer<String, String> producer =
                              resources.producer(
                                  "kafka",
                                  LabServers.Kafka.BROKER,
                                  Map.of("transactional.id", topic));
                          producer.initTransactions();
                          return producer;
                        })
                    .operation(
                        (producer, key) -> {
                          producer.beginTransaction();
                          producer.send(new ProducerRecord<>(topic, key, "placed"));
                          producer.commitTransaction();
                        })
                    .expect(record(topic).byKey().once()));
    assertThat(report.runs()).hasSize(2).allMatch(RunReport::passed);
    assertThat(report.runs().get(1).notes()).isNotEmpty();
  }

  /** Sends, and once more when that fails. */
  private static ExplorationReport exploreSend(String topic, Map<String, String> config) {
    return explore(
        lab ->
            lab.application(
                    resources -> resources.producer("kafka", LabServers.Kafka.BROKER, config))
                .operation(
                    (producer, key) -> {
                      try {
                        producer.send(new ProducerRecord<>(topic, key, "placed")).get();
                      } catch (java.util.concurrent.ExecutionException e) {
                        producer.send(new ProducerRecord<>(topic, key, "placed")).get();
                      }
                    })
                .expect(record(topic).byKey().once()));
  }

  private TwoTables start(Resources resources) {
    return new TwoTables(resources.dataSource("shop", LabServers.url()), orders, orders);
  }

  private static void insert(TwoTables service, String key) throws SQLException {
    try (Connection connection = service.dataSource.getConnection()) {
      TwoTables.insert(connection, service.orders, key);
    }
  }

  private static ExplorationReport explore(Consumer<CrashLab> description) {
    return CrashLab.explore(
        "lost answers", CrashLab.Options.defaults().withCarriers(Carrier.LOST_ACK), description);
  }
}
