package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What consumers read, each ill once, on a real broker. */
final class ConsumptionChecksTest {
  private static final KafkaServer KAFKA = KafkaServer.start();
  private static final Duration LAG = Duration.ofSeconds(60);
  private static Admin admin;

  @BeforeAll
  static void open() {
    admin = Admin.create(Map.<String, Object>of("bootstrap.servers", KAFKA.bootstrapServers()));
  }

  @AfterAll
  static void close() {
    admin.close();
    KAFKA.close();
  }

  private static UUID create(String topic, int partitions, Map<String, String> settings) {
    Uuid id =
        Topics.await(
            admin
                .createTopics(
                    List.of(
                        new NewTopic(topic, Optional.of(partitions), Optional.<Short>empty())
                            .configs(settings)))
                .topicId(topic));
    return new UUID(id.getMostSignificantBits(), id.getLeastSignificantBits());
  }

  /** In one transaction, which leaves its mark behind them. */
  private static void send(String topic, int records, @Nullable Instant at) {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers", KAFKA.bootstrapServers(), "transactional.id", "to-" + topic),
            new StringSerializer(),
            new StringSerializer())) {
      producer.initTransactions();
      producer.beginTransaction();
      for (int i = 0; i < records; i++) {
        producer.send(
            new ProducerRecord<>(topic, 0, at == null ? null : at.toEpochMilli(), "k", "v"));
      }
      producer.commitTransaction();
    }
  }

  private static KafkaDoctor.Reading at(String topic, UUID id, long next, Duration unmoved) {
    return new KafkaDoctor.Reading("billing", topic, id, 0, next, unmoved, true, null);
  }

  private static List<Finding> examine(KafkaDoctor.Reading... readings) {
    return new KafkaDoctor(
            Kafka.to(Map.of("bootstrap.servers", KAFKA.bootstrapServers())),
            new KafkaDoctor.Outbox(
                UUID.randomUUID(), Map.of(), List.of(), Duration.ofHours(1), 1_000),
            List.of(readings),
            LAG)
        .examine().stream()
            .filter(each -> each.id().startsWith("consumer.") || each.id().startsWith("inbox."))
            .toList();
  }

  private static Finding ill(List<Finding> findings, String id, Severity severity) {
    List<Finding> bad = findings.stream().filter(each -> each.severity() != Severity.OK).toList();
    assertThat(bad).hasSize(1);
    Finding finding = bad.get(0);
    assertThat(finding.id()).isEqualTo(id);
    assertThat(finding.severity()).isEqualTo(severity);
    assertThat(finding.meaning()).isNotBlank();
    assertThat(finding.remedy()).isNotBlank().doesNotContain("HOST:PORT");
    return finding;
  }

  @Test
  void consumerThatHasHandledAllIsWellHoweverLongAgo() {
    UUID id = create("well", 1, Map.of());
    send("well", 3, null);

    List<Finding> findings =
        examine(
            new KafkaDoctor.Reading(
                "billing", "well", id, 0, 4, Duration.ofDays(3), true, Duration.ofDays(14)));

    assertThat(findings).extracting(Finding::severity).containsOnly(Severity.OK);
    assertThat(findings)
        .extracting(Finding::id)
        .containsExactlyInAnyOrder(
            "consumer.partitions", "consumer.lag", "consumer.retention", "inbox.retention");
    assertThat(examine()).isEmpty();
  }

  @Test
  void offsetThatStaysThoughThereIsMoreIsFoundAndFailsInTheEnd() {
    UUID id = create("behind", 1, Map.of());
    send("behind", 3, null);

    assertThat(examine(at("behind", id, 1, Duration.ofSeconds(59))))
        .extracting(Finding::severity)
        .containsOnly(Severity.OK);
    Finding lag =
        ill(examine(at("behind", id, 1, Duration.ofSeconds(61))), "consumer.lag", Severity.WARN);
    assertThat(lag.found()).contains("3 record(s) are not handled", "stayed at 1 for 61 s");
    ill(examine(at("behind", id, 1, Duration.ofSeconds(601))), "consumer.lag", Severity.FAIL);
    assertThat(
            examine(
                new KafkaDoctor.Reading(
                    "billing", "behind", id, 0, 1, Duration.ofDays(1), false, null)))
        .as("one that is not to read is told of elsewhere")
        .extracting(Finding::severity)
        .containsOnly(Severity.OK);
  }

  @Test
  void topicThatIsGoneOrWasMadeAgainIsFound() {
    UUID id = create("again", 1, Map.of());

    Finding again =
        ill(
            examine(at("again", UUID.randomUUID(), 0, Duration.ZERO)),
            "consumer.topic",
            Severity.FAIL);
    assertThat(again.remedy())
        .startsWith(
            "holdfast consumer seek billing --topic again --kafka " + KAFKA.bootstrapServers());
    assertThat(again.found()).contains("made again");
    assertThat(
            ill(examine(at("never", id, 0, Duration.ZERO)), "consumer.topic", Severity.FAIL)
                .found())
        .contains("does not know the topic never");
    assertThat(
            ill(examine(at("again", id, 5, Duration.ZERO)), "consumer.topic", Severity.FAIL)
                .remedy())
        .endsWith("holdfast consumer continue billing --topic again --partition 0 --offset 0");
  }

  @Test
  void partitionsThatWereAddedAreFound() {
    UUID id = create("grown", 1, Map.of());
    Topics.await(admin.createPartitions(Map.of("grown", NewPartitions.increaseTo(3))).all());

    Finding grown =
        ill(examine(at("grown", id, 0, Duration.ZERO)), "consumer.partitions", Severity.WARN);
    assertThat(grown.found()).contains("has 3 partitions", "begun to read 1");
  }

  @Test
  void recordsThatAreDeletedOrSoonWillBeAreFound() {
    UUID id = create("aging", 1, Map.of("retention.ms", "864000000"));
    send("aging", 4, Instant.now().minus(Duration.ofDays(6)));
    send("aging", 1, null);

    Finding aging =
        ill(examine(at("aging", id, 2, Duration.ZERO)), "consumer.retention", Severity.WARN);
    assertThat(aging.found()).contains("offset 2", "older than half");
    assertThat(examine(at("aging", id, 5, Duration.ZERO)))
        .extracting(Finding::severity)
        .containsOnly(Severity.OK);

    Topics.await(
        admin
            .deleteRecords(Map.of(new TopicPartition("aging", 0), RecordsToDelete.beforeOffset(3)))
            .all());
    Finding overtaken =
        ill(examine(at("aging", id, 2, Duration.ZERO)), "consumer.retention", Severity.FAIL);
    assertThat(overtaken.found()).contains("from offset 2 to 2");
    assertThat(overtaken.remedy())
        .endsWith("holdfast consumer continue billing --topic aging --partition 0 --offset 3");
  }

  @Test
  void idsThatAreForgottenBeforeTheirRecordsAreFound() {
    UUID week = create("week", 1, Map.of("retention.ms", "604800000"));
    UUID good = create("good", 1, Map.of("retention.ms", "-1"));

    for (KafkaDoctor.Reading reading :
        List.of(
            new KafkaDoctor.Reading(
                "billing", "week", week, 0, 0, Duration.ZERO, true, Duration.ofDays(6)),
            new KafkaDoctor.Reading(
                "billing", "good", good, 0, 0, Duration.ZERO, true, Duration.ofDays(600)))) {
      ill(examine(reading), "inbox.retention", Severity.WARN);
    }
    assertThat(
            examine(
                new KafkaDoctor.Reading(
                    "billing", "week", week, 0, 0, Duration.ZERO, true, Duration.ofDays(7))))
        .extracting(Finding::severity)
        .containsOnly(Severity.OK);
  }
}
