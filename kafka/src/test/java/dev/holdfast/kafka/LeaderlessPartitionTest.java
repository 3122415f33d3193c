package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.PartitionStatus;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Of two brokers one dies, and with it the only copy of a partition. */
@Tag("long")
final class LeaderlessPartitionTest {
  private static final Duration BOUND = Duration.ofSeconds(30);

  @Test
  @Attacks("consumer.once")
  void aPartitionThatNobodyLeadsKeepsNoOtherFromBeingReadAndIsReadWhenItsLeaderIsBack()
      throws Exception {
    try (InboxStage stage = new InboxStage("leaderless", 1)) {
      // While there is one broker, so that the offsets of groups are there.
      stage.start(stage::effect);
      stage.send("k", "first");
      stage.awaitValues("first");
      try (Admin admin =
          Admin.create(Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers()))) {
        try (KafkaServer second = KafkaServer.builder().joining(TestServers.KAFKA).start()) {
          withoutALeader(stage, second, admin);
        }
        // Topics of other tests must not be put there.
        await().atMost(BOUND).until(() -> admin.describeCluster().nodes().get().size() == 1);
        admin.unregisterBroker(2).all().get();
      }
    }
  }

  private static void withoutALeader(InboxStage stage, KafkaServer second, Admin admin)
      throws Exception {
    String topic = stage.topic + "-two";
    admin
        .createTopics(List.of(new NewTopic(topic, Map.of(0, List.of(1), 1, List.of(2)))))
        .all()
        .get();
    stage.send(new ProducerRecord<>(topic, 0, "a", "a1"));
    stage.send(new ProducerRecord<>(topic, 1, "b", "b1"));
    // Begun, so that only the offsets are left to ask for.
    try (KafkaInbox before = start(stage, topic)) {
      await().atMost(BOUND).until(() -> stage.values().size() == 3);
      assertThat(before.status()).isNotNull();
    }
    stage.send(new ProducerRecord<>(topic, 1, "b", "b2"));
    second.kill();
    await()
        .atMost(BOUND)
        .until(
            () ->
                Objects.requireNonNull(
                            admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic))
                        .partitions()
                        .get(1)
                        .leader()
                    == null);
    stage.send(new ProducerRecord<>(topic, 0, "a", "a2"));

    KafkaInbox inbox = start(stage, topic);
    // A consumer's own call for offsets waits a minute for that one.
    await().atMost(BOUND).until(() -> stage.values().contains("a2"));
    assertThat(stage.values()).doesNotContain("b2");
    stage.send(new ProducerRecord<>(topic, 0, "a", "a3"));
    await().atMost(BOUND).until(() -> stage.values().contains("a3"));
    await()
        .atMost(BOUND)
        .untilAsserted(
            () ->
                assertThat(inbox.status())
                    .extracting(PartitionStatus::partition)
                    .containsExactly(0));

    second.restart();
    await().atMost(BOUND.multipliedBy(3)).until(() -> stage.values().contains("b2"));
    assertThat(stage.values()).containsExactlyInAnyOrder("first", "a1", "b1", "a2", "a3", "b2");
    await()
        .atMost(BOUND)
        .untilAsserted(
            () ->
                assertThat(inbox.status())
                    .hasSize(2)
                    .extracting(PartitionStatus::stopped)
                    .containsOnlyNulls());
  }

  private static KafkaInbox start(InboxStage stage, String topic) {
    return KafkaInbox.start(
        stage.process(),
        stage.consumer + "-two",
        Map.of(
            "bootstrap.servers",
            TestServers.KAFKA.bootstrapServers(),
            "metadata.max.age.ms",
            "1000"),
        InboxStage.SETTINGS,
        List.of(topic),
        stage::effect);
  }
}
