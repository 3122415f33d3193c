package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.record;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.report.Verdict;
import java.sql.Connection;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

/** Kafka clients that the code under test makes itself. */
final class OwnClientsTest {

  /** Announces what it stores, even when storing it fails. */
  private record Stubborn(
      DataSource dataSource, KafkaProducer<String, String> producer, String table, String topic)
      implements AutoCloseable {
    void place(String key) throws Exception {
      try (Connection connection = dataSource.getConnection()) {
        TwoTables.insert(connection, table, key);
      } finally {
        producer.send(new ProducerRecord<>(topic, key, "placed")).get();
      }
    }

    @Override
    public void close() {
      producer.close(Duration.ZERO);
    }
  }

  @Test
  void theirNetworkDiesWithTheProcessAndWhatTheyHaveBufferedWithIt() {
    assertThat(
            crashedBeforeTheRow(
                    resources -> resources.bootstrapServers("kafka", LabServers.Kafka.BROKER))
                .passed())
        .isTrue();
  }

  @Test
  void withAnotherAddressTheyOutliveIt() {
    assertThat(
            crashedBeforeTheRow(
                    resources -> {
                      resources.bootstrapServers("kafka", LabServers.Kafka.BROKER);
                      return LabServers.Kafka.SERVER.bootstrapServers();
                    })
                .findings())
        .extracting(Finding::verdict)
        .containsExactly(Verdict.PHANTOM);
  }

  private static RunReport crashedBeforeTheRow(Function<Resources, String> bootstrapServers) {
    String table = LabServers.keyedTable("orders");
    String topic = LabServers.Kafka.topic("announced");
    return CrashLab.explore(
            "own clients",
            CrashLab.Options.defaults(),
            lab ->
                lab.application(
                        resources ->
                            new Stubborn(
                                resources.dataSource("shop", LabServers.url()),
                                new KafkaProducer<>(
                                    Map.of("bootstrap.servers", bootstrapServers.apply(resources)),
                                    new StringSerializer(),
                                    new StringSerializer()),
                                table,
                                topic))
                    .operation(Stubborn::place)
                    .expect(row(table).byKey().once(), record(topic).byKey().once()))
        .runs()
        .stream()
        .filter(run -> !run.isGolden() && run.faults().get(0).stage() == Stage.BEFORE)
        .findFirst()
        .orElseThrow();
  }
}
