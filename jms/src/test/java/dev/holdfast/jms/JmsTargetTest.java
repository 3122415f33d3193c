package dev.holdfast.jms;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.boundary.Capability;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.ArtemisServer;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import jakarta.jms.BytesMessage;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What arrives at the broker, what is refused, and what an outage is. */
final class JmsTargetTest {
  private static final AtomicLong POSITIONS = new AtomicLong();
  private static final Target.Context CONTEXT = new Target.Context("orders", "scope");

  private static OutboxRecord message(String topic, String key, String payload) {
    return message(topic, key, payload, Map.of());
  }

  private static OutboxRecord message(
      String topic, String key, String payload, Map<String, String> headers) {
    return new OutboxRecord(
        POSITIONS.incrementAndGet(),
        OutboxRecord.Kind.MESSAGE,
        UUID.randomUUID(),
        topic,
        key,
        "order.placed",
        "application/json",
        payload.getBytes(StandardCharsets.UTF_8),
        headers,
        "operation-1",
        1_700_000_000_123L);
  }

  private static TargetSession lead(JmsTarget target) {
    TargetSession session = target.open(CONTEXT);
    session.takeOver();
    return session;
  }

  @Test
  void aMessageCarriesItsAttributesAndOwnHeadersAsProperties() throws JMSException {
    String queue = TestServers.unique("attributes");
    OutboxRecord sent =
        message(queue, "k1", "{\"a\":1}", Map.of("traceparent", "00-1-2-01", "x-tenant.id", "t"));
    try (TargetSession session = lead(Jms.to(TestServers.client()).messageGroups(8))) {
      assertThat(session.send(List.of(sent), "p")).isInstanceOf(Delivery.Done.class);
    }
    Message got = TestServers.browse(queue).get(0);
    assertThat(got).isInstanceOf(BytesMessage.class);
    assertThat(TestServers.body(got)).isEqualTo("{\"a\":1}");
    assertThat(got.getJMSDeliveryMode()).isEqualTo(jakarta.jms.DeliveryMode.PERSISTENT);
    assertThat(got.getJMSType()).isEqualTo("order.placed");
    assertThat(TestServers.property(got, "cloudEvents_specversion")).isEqualTo("1.0");
    assertThat(TestServers.property(got, "cloudEvents_id")).isEqualTo(sent.id().toString());
    assertThat(TestServers.property(got, "cloudEvents_source")).isEqualTo("/holdfast/orders");
    assertThat(TestServers.property(got, "cloudEvents_type")).isEqualTo("order.placed");
    assertThat(TestServers.property(got, "cloudEvents_time")).isEqualTo("2023-11-14T22:13:20.123Z");
    assertThat(TestServers.property(got, "cloudEvents_datacontenttype"))
        .isEqualTo("application/json");
    assertThat(TestServers.property(got, "cloudEvents_partitionkey")).isEqualTo("k1");
    assertThat(TestServers.property(got, "cloudEvents_operationid")).isEqualTo("operation-1");
    assertThat(TestServers.property(got, "traceparent")).isEqualTo("00-1-2-01");
    assertThat(TestServers.property(got, "x_HYPHEN_tenant_DOT_id")).isEqualTo("t");
    assertThat(Integer.parseInt(TestServers.property(got, "JMSXGroupID"))).isBetween(0, 7);
  }

  @Test
  void everyHeaderNameThatHoldfastTakesCanBeAPropertyOfJms() throws JMSException {
    String queue = TestServers.unique("names");
    Map<String, String> headers =
        Map.of("1st", "a", "NULL", "b", "JMSXFoo", "c", "-", "d", "is", "e", "_AMQ_X", "f");
    try (TargetSession session = lead(Jms.to(TestServers.client()))) {
      assertThat(session.send(List.of(message(queue, "k", "{}", headers)), "p"))
          .isInstanceOf(Delivery.Done.class);
    }
    Message got = TestServers.browse(queue).get(0);
    for (Map.Entry<String, String> header : headers.entrySet()) {
      assertThat(TestServers.property(got, PropertyNames.of(header.getKey())))
          .isEqualTo(header.getValue());
    }
  }

  @Test
  void aTopicGoesWhereTheFunctionSaysAndItsFailureRefusesTheMessageAlone() {
    String queue = TestServers.unique("mapped");
    JmsTarget target =
        Jms.to(TestServers.client())
            .destinations(
                topic -> {
                  if (topic.equals("unmapped")) {
                    throw new IllegalArgumentException("unmapped is unknown");
                  }
                  return JmsDestination.queue(queue);
                });
    OutboxRecord unmapped = message("unmapped", "a", "1");
    OutboxRecord mapped = message("mapped", "b", "2");
    try (TargetSession session = lead(target)) {
      Delivery.Refused refused = (Delivery.Refused) session.send(List.of(unmapped, mapped), "p");
      assertThat(refused.refused()).containsOnlyKeys(unmapped.position());
      assertThat(refused.refused().get(unmapped.position())).contains("unmapped is unknown");
      assertThat(session.send(List.of(mapped), "p")).isInstanceOf(Delivery.Done.class);
    }
    assertThat(TestServers.bodies(queue)).containsExactly("2");
  }

  @Test
  void aPayloadOverTheBoundOfTheTargetIsRefusedAndNothingOfItSent() {
    String queue = TestServers.unique("large");
    try (TargetSession session = lead(Jms.to(TestServers.client()).maxBytes(10))) {
      OutboxRecord large = message(queue, "a", "12345678901");
      assertThat(((Delivery.Refused) session.send(List.of(large), "p")).refused())
          .hasEntrySatisfying(large.position(), reason -> assertThat(reason).contains("11 bytes"));
      assertThat(session.send(List.of(message(queue, "a", "1234567890")), "p"))
          .isInstanceOf(Delivery.Done.class);
    }
    assertThat(TestServers.bodies(queue)).containsExactly("1234567890");
  }

  @Test
  void theLargestPayloadThatAnOutboxTakesArrives() {
    String queue = TestServers.unique("largest");
    String payload = "x".repeat(dev.holdfast.Message.MAX_PAYLOAD_BYTES);
    try (TargetSession session = lead(Jms.to(TestServers.client()))) {
      assertThat(session.send(List.of(message(queue, "a", payload)), "p"))
          .isInstanceOf(Delivery.Done.class);
    }
    try (JMSContext context = TestServers.client().createContext()) {
      byte[] body =
          context.createConsumer(context.createQueue(queue)).receiveBody(byte[].class, 10_000);
      assertThat(new String(body, StandardCharsets.UTF_8)).isEqualTo(payload);
    }
  }

  @Test
  void behindARefusedMessageItsKeyWaitsAndOthersGoOn() {
    String queue = TestServers.unique("beside");
    OutboxRecord first = message(queue, "a", "1");
    OutboxRecord missing = message(ArtemisServer.NOT_CREATED + "x", "a", "2");
    OutboxRecord behind = message(queue, "a", "3");
    OutboxRecord other = message(queue, "b", "4");
    try (TargetSession session = lead(Jms.to(TestServers.client()))) {
      Delivery.Refused refused =
          (Delivery.Refused) session.send(List.of(first, missing, behind, other), "p");
      assertThat(refused.refused()).containsOnlyKeys(missing.position());
      assertThat(refused.delivered()).containsExactlyInAnyOrder(first.position(), other.position());
      assertThat(TestServers.bodies(queue)).containsExactly("1", "4");
      assertThat(session.send(List.of(message(queue, "c", "5")), "p"))
          .as("the session is of use")
          .isInstanceOf(Delivery.Done.class);
    }
  }

  @Test
  void aBrokerThatIsKilledIsAnOutageAndWhatItAcknowledgedIsThereAfterIt() {
    String queue = TestServers.unique("killed");
    TargetSession session = lead(Jms.to(TestServers.client()));
    List<OutboxRecord> batch = List.of(message(queue, "a", "1"), message(queue, "b", "2"));
    assertThat(session.send(batch, "p")).isInstanceOf(Delivery.Done.class);
    TestServers.ARTEMIS.kill();
    try {
      assertThat(session.send(List.of(message(queue, "a", "3")), "p"))
          .isInstanceOf(Delivery.Unavailable.class);
      session.close();
    } finally {
      TestServers.ARTEMIS.restart();
    }
    assertThat(TestServers.bodies(queue)).containsExactly("1", "2");
  }

  @Test
  void aBrokerThatHangsIsAnOutage() {
    String queue = TestServers.unique("hanging");
    TargetSession session =
        lead(Jms.to(new ActiveMQConnectionFactory(TestServers.ARTEMIS.url() + "?callTimeout=500")));
    assertThat(session.send(List.of(message(queue, "a", "1")), "p"))
        .isInstanceOf(Delivery.Done.class);
    TestServers.ARTEMIS.pause();
    try {
      assertThat(session.send(List.of(message(queue, "a", "2")), "p"))
          .isInstanceOf(Delivery.Unavailable.class);
      session.close();
    } finally {
      TestServers.ARTEMIS.resume();
    }
  }

  @Test
  void aLostReplyToTheCommitIsAnOutageAndTheRepeatHasTheSameId() {
    List<Message> there = sentTwiceAsTheFirstReplyWasLost(Jms::to);
    assertThat(there).extracting(each -> TestServers.property(each, Encoder.ID)).containsOnly(ID);
    assertThat(there).as("without deduplication the repeat shows").hasSize(2);
  }

  @Test
  @Attacks("outbox.delivery.deduplicated")
  void artemisDropsTheRepeatByItsId() {
    assertThat(
            sentTwiceAsTheFirstReplyWasLost(
                client -> Jms.to(client).artemisDeduplication(Duration.ofMinutes(5))))
        .hasSize(1);
  }

  private static final String ID = "6c9f2a1e-0000-4000-8000-000000000001";

  private static List<Message> sentTwiceAsTheFirstReplyWasLost(
      java.util.function.Function<ConnectionFactory, JmsTarget> target) {
    String queue = TestServers.unique("lost");
    OutboxRecord message =
        new OutboxRecord(
            POSITIONS.incrementAndGet(),
            OutboxRecord.Kind.MESSAGE,
            UUID.fromString(ID),
            queue,
            "k",
            "t",
            "text/plain",
            "1".getBytes(StandardCharsets.UTF_8),
            Map.of(),
            null,
            0);
    try (TcpRelay relay = TcpRelay.to("127.0.0.1", TestServers.ARTEMIS.port())) {
      ConnectionFactory client =
          new ActiveMQConnectionFactory("tcp://127.0.0.1:" + relay.port() + "?callTimeout=1000");
      TargetSession session =
          lead(target.apply(Intercepted.before(client, "commit", relay::swallowNextReply)));
      assertThat(session.send(List.of(message), "p")).isInstanceOf(Delivery.Unavailable.class);
      assertThat(relay.lostReplies()).isPositive();
      session.close();
    }
    try (TargetSession next = lead(target.apply(TestServers.client()))) {
      assertThat(next.send(List.of(message), "p")).isInstanceOf(Delivery.Done.class);
    }
    return TestServers.browse(queue).stream()
        .filter(each -> TestServers.property(each, Encoder.ID).equals(ID))
        .toList();
  }

  @Tag("long")
  @Test
  @Attacks("outbox.delivery.deduplicated")
  void aBatchOfWhichArtemisHasAPartIsCompletedWithoutRepeats() {
    String queue = TestServers.unique("part");
    JmsTarget target = Jms.to(TestServers.client()).artemisDeduplication(Duration.ofMinutes(5));
    OutboxRecord one = message(queue, "k", "1");
    OutboxRecord two = message(queue, "k", "2");
    OutboxRecord three = message(queue, "k", "3");
    try (TargetSession session = lead(target)) {
      assertThat(session.send(List.of(one, two), "p")).isInstanceOf(Delivery.Done.class);
      assertThat(session.send(List.of(one, two, three), "p")).isInstanceOf(Delivery.Done.class);
    }
    assertThat(TestServers.bodies(queue)).containsExactly("1", "2", "3");
  }

  @Test
  void whatIsDeclaredIsWhatIsDone() {
    JmsTarget target = Jms.to(TestServers.client());
    assertThat(target.capabilities()).containsExactly(Capability.ORDER_PER_KEY);
    assertThat(target.window(Capability.DEDUPLICATION)).contains(Duration.ZERO);
    JmsTarget deduplicating = target.artemisDeduplication(Duration.ofMinutes(5));
    assertThat(deduplicating.capabilities()).contains(Capability.DEDUPLICATION);
    assertThat(deduplicating.window(Capability.DEDUPLICATION)).contains(Duration.ofMinutes(5));
    assertThat(deduplicating.assumptions())
        .extracting(each -> each.id())
        .contains("jms.remembers-ids");
  }

  @Test
  void whatPeopleReadNamesTheTargetWithoutItsAddressOrPassword() {
    JmsTarget target =
        Jms.to(
                new ActiveMQConnectionFactory(
                    "tcp://127.0.0.1:1?callTimeout=1000", "user", "secret-word"))
            .named("orders broker");
    assertThat(target.toString()).isEqualTo("jms orders broker");
    try {
      target.open(CONTEXT);
      throw new AssertionError("nobody listens there");
    } catch (dev.holdfast.outbox.TargetUnavailable e) {
      assertThat(e).hasMessageContaining("orders broker");
      assertThat(e.getMessage()).doesNotContain("secret-word");
    }
  }
}
