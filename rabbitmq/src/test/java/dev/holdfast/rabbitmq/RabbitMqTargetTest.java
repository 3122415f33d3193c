package dev.holdfast.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import dev.holdfast.devservices.RabbitServer;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What arrives at the broker, what is refused, and what an outage is. */
@Tag("rabbitmq")
final class RabbitMqTargetTest {
  private static final AtomicLong POSITIONS = new AtomicLong();
  private static final Target.Context CONTEXT = new Target.Context("orders", "scope");

  private static OutboxRecord message(String topic, String key, String payload) {
    return new OutboxRecord(
        POSITIONS.incrementAndGet(),
        OutboxRecord.Kind.MESSAGE,
        UUID.randomUUID(),
        topic,
        key,
        "order.placed",
        "application/json",
        payload.getBytes(StandardCharsets.UTF_8),
        Map.of("traceparent", "00-1-2-01"),
        "operation-1",
        1_700_000_000_123L);
  }

  /** To the queues of the topics' names. */
  private static TargetSession lead() {
    return lead(RabbitMq.to(TestServers.client(), ""));
  }

  private static TargetSession lead(RabbitMqTarget target) {
    TargetSession session = target.open(CONTEXT);
    session.takeOver();
    return session;
  }

  @Test
  void aMessageIsPersistentAndCarriesItsAttributes() {
    String queue = TestServers.queue("attributes");
    OutboxRecord sent = message(queue, "k1", "{\"a\":1}");
    try (TargetSession session = lead()) {
      assertThat(session.send(List.of(sent), "p")).isInstanceOf(Delivery.Done.class);
    }
    GetResponse got = TestServers.drain(queue).get(0);
    AMQP.BasicProperties properties = got.getProps();
    assertThat(TestServers.body(got)).isEqualTo("{\"a\":1}");
    assertThat(properties.getDeliveryMode()).isEqualTo(2);
    assertThat(properties.getMessageId()).isEqualTo(sent.id().toString());
    assertThat(properties.getContentType()).isEqualTo("application/json");
    assertThat(properties.getType()).isEqualTo("order.placed");
    assertThat(properties.getTimestamp().toInstant()).hasToString("2023-11-14T22:13:20Z");
    Map<String, Object> headers = properties.getHeaders();
    assertThat(headers.get("cloudEvents_id")).hasToString(sent.id().toString());
    assertThat(headers.get("cloudEvents_specversion")).hasToString("1.0");
    assertThat(headers.get("cloudEvents_source")).hasToString("/holdfast/orders");
    assertThat(headers.get("cloudEvents_type")).hasToString("order.placed");
    assertThat(headers.get("cloudEvents_time")).hasToString("2023-11-14T22:13:20.123Z");
    assertThat(headers.get("cloudEvents_partitionkey")).hasToString("k1");
    assertThat(headers.get("cloudEvents_operationid")).hasToString("operation-1");
    assertThat(headers.get("traceparent")).hasToString("00-1-2-01");
  }

  @Test
  void aMessageThatNoQueueGetsIsRefusedWithTheReasonAndItsKeyWaits() {
    String queue = TestServers.queue("routed");
    OutboxRecord first = message(queue, "a", "1");
    OutboxRecord unroutable = message("no.such.queue", "a", "2");
    OutboxRecord behind = message(queue, "a", "3");
    OutboxRecord other = message(queue, "b", "4");
    try (TargetSession session = lead()) {
      Delivery.Refused refused =
          (Delivery.Refused) session.send(List.of(first, unroutable, behind, other), "p");
      assertThat(refused.refused()).containsOnlyKeys(unroutable.position());
      assertThat(refused.refused().get(unroutable.position()))
          .contains("NO_ROUTE")
          .contains("no.such.queue");
      assertThat(refused.delivered()).containsExactlyInAnyOrder(first.position(), other.position());
      assertThat(session.send(List.of(other), "p")).isInstanceOf(Delivery.Done.class);
    }
    assertThat(TestServers.bodies(queue)).contains("1", "4").doesNotContain("3");
  }

  @Test
  void aMissingExchangeRefusesItsMessagesAloneAndTheSessionGoesOn() {
    String queue = TestServers.queue("exchanges");
    RabbitMqTarget target =
        RabbitMq.to(TestServers.client(), "")
            .routes(
                topic ->
                    topic.equals("gone")
                        ? new RabbitMqRoute("no-such-exchange", "x")
                        : RabbitMqRoute.toQueue(topic));
    OutboxRecord one = message(queue, "a", "1");
    OutboxRecord gone = message("gone", "b", "2");
    OutboxRecord three = message(queue, "c", "3");
    try (TargetSession session = lead(target)) {
      Delivery.Refused refused = (Delivery.Refused) session.send(List.of(one, gone, three), "p");
      assertThat(refused.refused()).containsOnlyKeys(gone.position());
      assertThat(refused.refused().get(gone.position())).contains("no-such-exchange");
      assertThat(refused.delivered()).containsExactlyInAnyOrder(one.position(), three.position());
      assertThat(session.send(List.of(message(queue, "a", "4")), "p"))
          .isInstanceOf(Delivery.Done.class);
    }
    assertThat(TestServers.bodies(queue)).contains("1", "3", "4");
  }

  @Test
  void aTypeThatHasNoRoomInAmqpIsRefusedAndNothingElse() {
    String queue = TestServers.queue("types");
    OutboxRecord wide =
        new OutboxRecord(
            POSITIONS.incrementAndGet(),
            OutboxRecord.Kind.MESSAGE,
            UUID.randomUUID(),
            queue,
            "a",
            "ü".repeat(200),
            "text/plain",
            null,
            Map.of(),
            null,
            0);
    OutboxRecord other = message(queue, "b", "2");
    try (TargetSession session = lead()) {
      Delivery.Refused refused = (Delivery.Refused) session.send(List.of(wide, other), "p");
      assertThat(refused.refused()).containsOnlyKeys(wide.position());
      assertThat(refused.delivered()).containsExactly(other.position());
    }
  }

  @Test
  void whatWeMayNotPublishToAndWhatIsTooLargeIsRefusedAloneAndTheOrderOfTheOthersKept() {
    String queue = TestServers.queue("large");
    String internal = TestServers.unique("internal");
    // To an internal exchange the broker lets nobody publish, as to one without permission.
    TestServers.onChannel(
        channel -> channel.exchangeDeclare(internal, "fanout", true, false, true, Map.of()));
    RabbitMqTarget target =
        RabbitMq.to(TestServers.client(), "")
            .routes(
                topic ->
                    topic.equals(internal)
                        ? new RabbitMqRoute(internal, "")
                        : RabbitMqRoute.toQueue(topic));
    OutboxRecord one = message(queue, "a", "1");
    OutboxRecord forbidden = message(internal, "b", "2");
    OutboxRecord large = message(queue, "c", "x".repeat(RabbitServer.MAX_MESSAGE_BYTES + 1));
    OutboxRecord behind = message(queue, "c", "4");
    OutboxRecord two = message(queue, "a", "5");
    try (TargetSession session = lead(target)) {
      Delivery.Refused refused =
          (Delivery.Refused) session.send(List.of(one, forbidden, large, behind, two), "p");
      assertThat(refused.refused()).containsOnlyKeys(forbidden.position(), large.position());
      assertThat(refused.refused().get(forbidden.position())).contains("ACCESS_REFUSED");
      assertThat(refused.refused().get(large.position())).contains("PRECONDITION_FAILED");
      assertThat(refused.delivered()).containsExactlyInAnyOrder(one.position(), two.position());
    }
    assertThat(TestServers.bodies(queue).stream().distinct()).containsExactly("1", "5");
  }

  /** Well before the heartbeats, of a minute unless set, tell. */
  @Test
  @Timeout(45)
  void aBrokerThatHangsIsAnOutage() {
    String queue = TestServers.queue("hanging");
    RabbitMqTarget target =
        RabbitMq.to(TestServers.client(), "").confirmTimeout(Duration.ofSeconds(2));
    TargetSession session = lead(target);
    TestServers.Rabbit.SERVER.pause();
    try {
      assertThat(session.send(List.of(message(queue, "a", "1")), "p"))
          .isInstanceOf(Delivery.Unavailable.class);
      session.close();
    } finally {
      TestServers.Rabbit.SERVER.resume();
    }
  }

  @Test
  void aQueueThatIsFullAndSaysSoIsAnOutage() {
    String queue =
        TestServers.queue("full", Map.of("x-max-length", 1, "x-overflow", "reject-publish"));
    try (TargetSession session = lead()) {
      assertThat(session.send(List.of(message(queue, "a", "1")), "p"))
          .isInstanceOf(Delivery.Done.class);
      assertThat(session.send(List.of(message(queue, "a", "2")), "p"))
          .isInstanceOf(Delivery.Unavailable.class);
    }
    assertThat(TestServers.bodies(queue)).containsExactly("1");
  }

  @Test
  void messagesOfOneKeyComeInTheirOrder() {
    String queue = TestServers.queue("ordered");
    List<OutboxRecord> batch = new ArrayList<>();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      batch.add(message(queue, "k", "%02d".formatted(i)));
      expected.add("%02d".formatted(i));
    }
    try (TargetSession session = lead()) {
      assertThat(session.send(batch, "p")).isInstanceOf(Delivery.Done.class);
    }
    assertThat(TestServers.bodies(queue)).isEqualTo(expected);
  }

  @Test
  void aBrokerThatIsKilledIsAnOutageAndWhatItConfirmedIsThereAfterIt() {
    String queue = TestServers.queue("killed");
    TargetSession session = lead();
    assertThat(session.send(List.of(message(queue, "a", "1"), message(queue, "b", "2")), "p"))
        .isInstanceOf(Delivery.Done.class);
    TestServers.Rabbit.SERVER.kill();
    try {
      assertThat(session.send(List.of(message(queue, "a", "3")), "p"))
          .isInstanceOf(Delivery.Unavailable.class);
      session.close();
    } finally {
      TestServers.Rabbit.SERVER.restart();
    }
    assertThat(TestServers.bodies(queue)).containsExactlyInAnyOrder("1", "2");
  }

  @Test
  void aBrokerThatDiesBetweenPublishAndConfirmIsAnOutageAndNothingIsLost() {
    String queue = TestServers.queue("between");
    OutboxRecord message = message(queue, "a", "1");
    try (TcpRelay relay = TcpRelay.to("127.0.0.1", TestServers.Rabbit.SERVER.port())) {
      RabbitMqTarget target =
          RabbitMq.to(TestServers.client(relay.port()), "").confirmTimeout(Duration.ofSeconds(2));
      TargetSession session = lead(target);
      assertThat(session.send(List.of(message(queue, "a", "0")), "p"))
          .isInstanceOf(Delivery.Done.class);
      relay.swallowReplies();
      assertThat(session.send(List.of(message), "p")).isInstanceOf(Delivery.Unavailable.class);
      TestServers.Rabbit.SERVER.kill();
      TestServers.Rabbit.SERVER.restart();
      session.close();
    }
    try (TargetSession next = lead()) {
      assertThat(next.send(List.of(message), "p")).isInstanceOf(Delivery.Done.class);
    }
    List<GetResponse> there = TestServers.drain(queue);
    assertThat(there)
        .extracting(each -> each.getProps().getMessageId())
        .as("the lost confirm repeats it under its id")
        .filteredOn(message.id().toString()::equals)
        .hasSize(2);
  }

  @Test
  void aWrongPasswordIsAnOutageAndIsNotPrinted() {
    ConnectionFactory factory = TestServers.client();
    factory.setPassword("wrong-secret");
    RabbitMqTarget target = RabbitMq.to(factory, "");
    org.assertj.core.api.Assertions.assertThatThrownBy(() -> target.open(CONTEXT))
        .isInstanceOf(dev.holdfast.outbox.TargetUnavailable.class)
        .hasMessageContaining("messages wait")
        .satisfies(thrown -> assertThat(thrown.getMessage()).doesNotContain("wrong-secret"));
  }
}
