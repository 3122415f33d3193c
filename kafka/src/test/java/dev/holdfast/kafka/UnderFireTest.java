package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.HoldfastException;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.store.ParkedMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Parking and replay, delayed messages and dedupe keys, while relays are killed at random. At each
 * of their points: {@link KafkaOutboxConformanceTest}.
 */
@Tag("long")
final class UnderFireTest {
  private static final int KILLS = 4;
  private static final long SEED = 29;

  private final Stage stage = new Stage("fire");
  private final Random random = new Random(SEED);

  @AfterEach
  void end() {
    stage.close();
  }

  /** Kills whoever leads, once somebody does. */
  private void kill(RelayFleet fleet) {
    await().atMost(Stage.SOON).until(() -> fleet.kill(stage.leader()));
    fleet.supervise();
  }

  @Test
  @Attacks({"outbox.recovery.parking", "outbox.order"})
  void keysThatAreParkedAndReplayedOverAndOverStayWholeAndInOrder() {
    String missing = stage.topic + "-missing";
    try (RelayFleet fleet = stage.relays(Sabotage.NONE, 2)) {
      for (int round = 0; round < KILLS; round++) {
        for (int i = 0; i < 100; i++) {
          String topic = random.nextInt(25) == 0 ? missing : stage.topic;
          stage.shop.order("c" + random.nextInt(12), topic, random.nextBoolean(), false);
          if (random.nextInt(10) == 0) {
            orderReplays();
          }
          if (i == 50) {
            kill(fleet);
          }
        }
        await().atMost(Stage.SOON).until(() -> stage.store.parking().anyParked("orders"));
      }
      TestServers.KAFKA.createTopic(missing, 2);
      await()
          .atMost(Stage.SOON)
          .pollInterval(Duration.ofMillis(200))
          .until(
              () -> {
                orderReplays();
                return !stage.store.parking().anyParked("orders")
                    && stage.shop.allDelivered(stage.topic, missing);
              });
      assertThat(stage.shop.count(stage.topic, missing))
          .as("seed %d", SEED)
          .isEqualTo(Shop.Count.CLEAN);
    }
  }

  private void orderReplays() {
    stage.store.parking().list("orders", 200).stream()
        .filter(message -> !message.releasing())
        .map(ParkedMessage::lane)
        .distinct()
        .forEach(
            lane -> {
              try {
                stage.store.parking().orderUnpark("orders", lane, "test");
              } catch (HoldfastException e) {
                // Released since it was listed.
                assertThat(e).hasMessageContaining("Nothing was changed");
              }
            });
  }

  @Test
  @Attacks({"outbox.delayed", "outbox.dedupe"})
  void delayedMessagesComeOnceWhenTheyAreDueAndDedupeKeysAreTakenOnce() {
    Map<String, Instant> due = new HashMap<>();
    try (RelayFleet fleet = stage.relays(Sabotage.NONE, 2)) {
      for (int round = 0; round < KILLS; round++) {
        publishDelayed(round, due);
        kill(fleet);
      }
      await()
          .atMost(Stage.SOON)
          .untilAsserted(
              () ->
                  assertThat(TestServers.readCommitted(stage.topic))
                      .extracting(ConsumerRecord::value)
                      .containsExactlyInAnyOrderElementsOf(due.keySet()));
    }
    for (ConsumerRecord<String, String> record : TestServers.readCommitted(stage.topic)) {
      // The record's time is the database's, of the moment at which it took its place in the log.
      assertThat(Instant.ofEpochMilli(record.timestamp()).plusMillis(1))
          .as(record.value())
          .isAfterOrEqualTo(due.get(record.value()));
    }
  }

  /** Each message three times, under one dedupe key. */
  private void publishDelayed(int round, Map<String, Instant> due) {
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      String value = round + "-" + i;
      due.put(value, Instant.now().plusMillis(500 + random.nextInt(3_000)));
      for (int copy = 0; copy < 3; copy++) {
        messages.add(
            Message.to(stage.topic)
                .key("k" + random.nextInt(5))
                .json(value)
                .dedupeKey(value)
                .deliverAt(due.get(value))
                .build());
      }
    }
    Collections.shuffle(messages, random);
    for (Message message : messages) {
      stage.writer.transact(tx -> tx.publish(message));
    }
  }
}
