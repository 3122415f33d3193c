package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.record;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.report.Verdict;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Simulated crashes of operations on PostgreSQL and Kafka. */
final class FencedKafkaTest {
  private String orders = "";
  private String topic = "";

  @BeforeEach
  void resources() {
    orders = LabServers.keyedTable("orders");
    topic = LabServers.Kafka.topic("order-events");
  }

  @Test
  void databaseThenBrokerLosesTheMessageBetweenTheTwoAndTheReportSaysWhere() {
    ExplorationReport report = explore(OrderService::databaseThenBroker, Map.of());
    assertThat(report.points())
        .extracting(point -> point.role().toString().replaceAll("_\\d+", ""))
        .containsExactly(
            "shop: autocommit (insert into orders (id) values (?))", "kafka: send (order-events)");
    List<RunReport> failed = failed(report);
    assertThat(failed)
        .extracting(run -> run.faults().get(0).stage())
        .containsExactly(Stage.ACK_LOST, Stage.BEFORE, Stage.BUFFERED);
    assertThat(failed.get(1).title()).contains("before p2 [kafka: send (" + topic + ")");
    assertThat(failed.get(1).findings())
        .singleElement()
        .satisfies(
            finding -> {
              assertThat(finding.verdict()).isEqualTo(Verdict.LOST);
              assertThat(finding.text())
                  .contains("record in " + topic + " is missing")
                  .containsPattern(
                      "to be made at OrderService\\.announce\\(OrderService.java:\\d+");
            });
  }

  @Test
  void brokerThenDatabaseInventsTheMessage() {
    ExplorationReport report = explore(OrderService::brokerThenDatabase, Map.of());
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.PHANTOM);
    assertThat(failed(report)).hasSize(2);
  }

  @Test
  void aRetryThatHealsIsEnoughOnlyForCallersThatAlwaysComeBack() {
    Consumer<Scenario<OrderService>> base =
        scenario ->
            scenario
                .operation(OrderService::databaseThenBrokerIdempotently)
                .expect(row(orders).byKey().once(), record(topic).byKey().once());
    ExplorationReport strict = explore(lab -> base.accept(begin(lab, Map.of()).retrySameKey(2)));
    assertThat(strict.findings()).extracting(Finding::verdict).contains(Verdict.LOST);

    ExplorationReport healed =
        explore(lab -> base.accept(begin(lab, Map.of()).recoveredByRetry(2)));
    // Nobody is lost, but the message is sent again where its acknowledgment was lost.
    assertThat(healed.findings()).extracting(Finding::verdict).containsOnly(Verdict.DUPLICATE);
    assertThat(failed(healed))
        .extracting(run -> run.faults().get(0).id().replaceAll("-[0-9a-f]{4}$", ""))
        .containsExactly("ack-lost@2");
  }

  @Test
  void whatIsStillInTheClientsBufferDiesWithTheProcess() {
    ExplorationReport report =
        explore(
            lab ->
                begin(lab, Map.of())
                    .operation(OrderService::withoutWaiting)
                    .quiesce(Duration.ofSeconds(2))
                    .expect(row(orders).byKey().once(), record(topic).byKey().once()));
    RunReport held =
        failed(report).stream()
            .filter(run -> run.faults().get(0).stage() == Stage.BUFFERED)
            .findFirst()
            .orElseThrow();
    // The caller was told that it was done.
    assertThat(held.findings()).extracting(Finding::verdict).containsExactly(Verdict.LOST);
    assertThat(held.title()).contains("with the client library still holding back p2");
  }

  @Test
  void whatIsWaitedForIsNotBelievedBefore() {
    ExplorationReport report =
        explore(
            lab ->
                begin(lab, Map.of())
                    .operation(
                        (service, key) -> {
                          service.producer().send(new ProducerRecord<>(topic, key, "placed"));
                          service.producer().flush();
                        })
                    .expect(record(topic).byKey().once()));
    assertThat(report.runs())
        .extracting(
            run -> run.faults().stream().map(fault -> fault.stage()).findFirst().orElse(null))
        .containsExactly(null, Stage.BEFORE, Stage.ACK_LOST, Stage.BUFFERED, Stage.AFTER_LAST);
    assertThat(report.runs()).allMatch(RunReport::passed);
  }

  @Test
  void aTransactionIsOneCommitPoint() {
    String other = LabServers.Kafka.topic("audit");
    ExplorationReport report =
        explore(
            lab ->
                lab.application(
                        resources -> {
                          Producer<String, String> producer =
                              resources.producer(
                                  "kafka",
                                  LabServers.Kafka.BROKER,
                                  Map.of("transactional.id", topic, "retry.backoff.ms", "5"));
                          producer.initTransactions();
                          return producer;
                        })
                    .operation(
                        (producer, key) -> {
                          producer.beginTransaction();
                          producer.send(new ProducerRecord<>(topic, key, "placed"));
                          producer.send(new ProducerRecord<>(other, key, "placed"));
                          producer.commitTransaction();
                        })
                    .expect(record(topic).byKey().once(), record(other).byKey().once()));
    assertThat(report.points()).hasSize(1);
    assertThat(report.runs()).hasSize(4).allMatch(RunReport::passed);
  }

  @Test
  void aConsumerThatStoresBeforeItCommitsItsOffsetsDoesSomethingTwice() {
    String rows = LabServers.table("handled");
    ExplorationReport report = exploreConsumer(rows, TwoTables::insert);
    assertThat(report.points())
        .extracting(point -> point.role().action())
        .containsExactly("autocommit", "commitSync");
    assertThat(report.points().get(1).role().thread()).isEqualTo("handler");
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.DUPLICATE);
    assertThat(failed(report))
        .extracting(run -> run.faults().get(0).id().replaceAll("-[0-9a-f]{4}$", ""))
        .containsExactly("ack-lost@1", "before@2");
  }

  @Test
  void aConsumerThatAbsorbsRepeatsDoesNot() {
    ExplorationReport report = exploreConsumer(orders, TwoTables::insertOnce);
    assertThat(report.runs()).hasSize(6).allMatch(RunReport::passed);
  }

  /** Handles records in the background. */
  private static final class Handler implements AutoCloseable {
    private final Thread thread;
    private volatile boolean closed;

    Handler(Resources resources, String topic, String table, Store store) {
      DataSource dataSource = resources.dataSource("shop", LabServers.url());
      org.apache.kafka.clients.consumer.Consumer<String, String> consumer =
          resources.consumer(
              "kafka",
              LabServers.Kafka.BROKER,
              Map.of(
                  "group.id",
                  topic,
                  "enable.auto.commit",
                  "false",
                  "auto.offset.reset",
                  "earliest"));
      thread =
          new Thread(
              () -> {
                consumer.subscribe(List.of(topic));
                while (!closed) {
                  for (ConsumerRecord<String, String> each : consumer.poll(Duration.ofMillis(20))) {
                    try (Connection connection = dataSource.getConnection()) {
                      store.store(connection, table, each.key());
                    } catch (SQLException e) {
                      throw new IllegalStateException(e);
                    }
                  }
                  consumer.commitSync();
                }
              },
              "handler");
      thread.start();
    }

    @Override
    public void close() throws InterruptedException {
      closed = true;
      thread.join();
    }
  }

  private interface Store {
    void store(Connection connection, String table, String key) throws SQLException;
  }

  private ExplorationReport exploreConsumer(String table, Store store) {
    return explore(
        lab ->
            lab.application(resources -> new Handler(resources, topic, table, store))
                .given(this::send)
                .operation((handler, key) -> {})
                .quiesce(Duration.ofSeconds(10))
                .expect(row(table).byKey("id").once()));
  }

  private void send(String key) throws Exception {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", LabServers.Kafka.SERVER.bootstrapServers()),
            new StringSerializer(),
            new StringSerializer())) {
      producer.send(new ProducerRecord<>(topic, key, "place")).get();
    }
  }

  private Scenario<OrderService> begin(CrashLab lab, Map<String, String> config) {
    return lab.application(
        resources ->
            new OrderService(
                resources.dataSource("shop", LabServers.url()),
                resources.producer("kafka", LabServers.Kafka.BROKER, config),
                orders,
                topic));
  }

  private ExplorationReport explore(
      Scenario.Work<OrderService> operation, Map<String, String> config) {
    return explore(
        lab ->
            begin(lab, config)
                .operation(operation)
                .expect(row(orders).byKey().once(), record(topic).byKey().once()));
  }

  private static ExplorationReport explore(Consumer<CrashLab> description) {
    return CrashLab.explore("place order", CrashLab.Options.defaults(), description);
  }

  private static List<RunReport> failed(ExplorationReport report) {
    assertThat(report.runs()).allMatch(run -> run.problem() == null);
    return report.runs().stream().filter(run -> !run.passed()).toList();
  }
}
