package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ParkedMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole path, from a transaction to what a consumer sees. */
final class OutboxToKafkaTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  private final String schema = TestServers.unique("holdfast_");
  private final String topic = TestServers.unique("orders");
  private final HikariDataSource dataSource = TestServers.pool(TestServers.POSTGRES.jdbcUrl());

  @AfterEach
  void end() {
    dataSource.close();
  }

  private Holdfast start(KafkaTarget target) {
    return Holdfast.on(dataSource)
        .schema(schema)
        .relay(RelaySettings.DEFAULT.withLeaseDuration(Duration.ofSeconds(1)))
        .channel("orders", target, topic + "*")
        .start();
  }

  private KafkaTarget target(boolean plain) {
    return plain ? TestServers.target().plain() : TestServers.target();
  }

  private void awaitCount(int count) {
    await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(TestServers.readCommitted(topic)).hasSize(count));
  }

  private static String header(ConsumerRecord<String, String> record, String name) {
    Header header = record.headers().lastHeader(name);
    return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aCommittedMessageArrivesAsACloudEventAndARolledBackOneDoesNot(boolean plain) {
    TestServers.KAFKA.createTopic(topic, 2);
    try (Holdfast holdfast = start(target(plain))) {
      Message message =
          Message.to(topic)
              .key("k")
              .type("Placed")
              .json("{\"n\":1}")
              .traceparent("00-1-2-01")
              .build();
      holdfast.transact(tx -> tx.publish(message));
      try {
        holdfast.transact(
            tx -> {
              tx.publish(Message.of(topic, "k", "{}"));
              throw new IllegalStateException("rolled back");
            });
      } catch (IllegalStateException expected) {
        assertThat(expected).hasMessage("rolled back");
      }
      awaitCount(1);
      ConsumerRecord<String, String> record = TestServers.readCommitted(topic).get(0);
      assertThat(record.key()).isEqualTo("k");
      assertThat(record.value()).isEqualTo("{\"n\":1}");
      assertThat(header(record, "ce_id")).isEqualTo(message.id().toString());
      assertThat(header(record, "ce_type")).isEqualTo("Placed");
      assertThat(header(record, "ce_specversion")).isEqualTo("1.0");
      assertThat(header(record, "ce_source")).isEqualTo("/holdfast/orders");
      assertThat(header(record, "content-type")).isEqualTo("application/json");
      assertThat(header(record, "traceparent")).isEqualTo("00-1-2-01");
      assertThat(header(record, "ce_operationid")).isNotEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRefusedMessageIsParkedWithTheLaterOnesOfItsKeyAndHoldsUpNoOther(boolean plain) {
    TestServers.KAFKA.createTopic(topic, 1);
    try (Holdfast holdfast = start(target(plain))) {
      holdfast.transact(
          tx -> {
            tx.publish(Message.of(topic, "a", "1"));
            tx.publish(Message.of(topic + "-missing", "a", "2"));
            tx.publish(Message.of(topic, "a", "3"));
            tx.publish(Message.of(topic, "b", "1"));
          });
      awaitCount(2);
      holdfast.transact(tx -> tx.publish(Message.of(topic, "a", "4")));
      holdfast.transact(tx -> tx.publish(Message.of(topic, "b", "2")));
      awaitCount(3);
      await()
          .atMost(SOON)
          .untilAsserted(
              () -> assertThat(holdfast.store().parking().list("orders", 10)).hasSize(3));
      assertThat(holdfast.store().parking().list("orders", 10))
          .extracting(ParkedMessage::lane)
          .containsOnly("k:a");
      assertThat(holdfast.store().parking().list("orders", 10).get(0).reason())
          .contains(topic + "-missing");

      TestServers.KAFKA.createTopic(topic + "-missing", 1);
      // The broker's "no such topic" is believed for a while; then the replay goes through.
      await()
          .atMost(Duration.ofSeconds(40))
          .pollInterval(Duration.ofMillis(200))
          .until(
              () -> {
                List<ParkedMessage> parked = holdfast.store().parking().list("orders", 10);
                if (!parked.isEmpty() && !parked.get(0).releasing()) {
                  holdfast.store().parking().orderUnpark("orders", "k:a", "test");
                }
                return parked.isEmpty();
              });
      awaitCount(5);
      assertThat(TestServers.readCommitted(topic))
          .filteredOn(record -> record.key().equals("a"))
          .extracting(ConsumerRecord::value)
          .containsExactly("1", "3", "4");
      assertThat(TestServers.readCommitted(topic + "-missing")).hasSize(1);
    }
  }

  @Test
  @Attacks("outbox.recovery.takeover")
  void aStandbyTakesOverWhereTheLeaderStopped() {
    TestServers.KAFKA.createTopic(topic, 1);
    try (Holdfast second = start(target(false))) {
      try (Holdfast first = start(target(false))) {
        for (int i = 0; i < 50; i++) {
          String value = Integer.toString(i);
          first.transact(tx -> tx.publish(Message.of(topic, "k", value)));
        }
      }
      second.transact(tx -> tx.publish(Message.of(topic, "k", "50")));
      awaitCount(51);
      assertThat(TestServers.readCommitted(topic))
          .extracting(record -> Integer.parseInt(record.value()))
          .isSorted();
    }
  }

  @Test
  void aPausedChannelWaitsAndAResumedOneGoesOn() {
    TestServers.KAFKA.createTopic(topic, 1);
    try (Holdfast holdfast = start(target(false))) {
      holdfast.transact(tx -> tx.publish(Message.of(topic, "k", "1")));
      awaitCount(1);
      holdfast.store().channels().setState("orders", ChannelState.PAUSED, "test", null);
      await().atMost(SOON).until(() -> holdfast.status().get(0).phase() == RelayPhase.PAUSED);
      holdfast.transact(tx -> tx.publish(Message.of(topic, "k", "2")));
      await()
          .atMost(SOON)
          .until(() -> holdfast.store().channels().status("orders").lagMessages() == 1);
      assertThat(TestServers.readCommitted(topic)).hasSize(1);
      holdfast.store().channels().setState("orders", ChannelState.RUNNING, "test", null);
      awaitCount(2);
    }
  }
}
