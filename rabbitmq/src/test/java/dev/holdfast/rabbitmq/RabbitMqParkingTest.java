package dev.holdfast.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Delivery;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.ConsumerParking.Lane;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Messages that cannot be handled, in the database, with the later ones of their key. */
@Tag("rabbitmq")
final class RabbitMqParkingTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final String KEY = "cloudEvents_partitionkey";

  private final String queue =
      TestServers.queue("parking", Map.of("x-single-active-consumer", true));
  private final String dead = TestServers.queue("dead");
  private final HikariDataSource pool = TestServers.pool();
  private final Queue<AutoCloseable> opened = new ConcurrentLinkedQueue<>();
  private final Holdfast holdfast = Holdfast.on(pool).schema("parking").start();
  private final String consumer = TestServers.unique("consumer");
  private final Inbox inbox = holdfast.inbox(consumer, InboxSettings.DEFAULT);
  private final ConsumerParking store = holdfast.store().consumerParking();
  private final RabbitMqInboxSettings settings =
      RabbitMqInboxSettings.deadLetteringTo(RabbitMqRoute.toQueue(dead))
          .withAttempts(2)
          .withParking(RabbitMqParking.DEFAULT);

  /** Bodies whose handler fails, until it is repaired. */
  private final Set<String> poison = ConcurrentHashMap.newKeySet();

  /** What was handled, in the order of commits as far as one key is concerned. */
  private final String table = table();

  private static String table() {
    String name = TestServers.unique("handled");
    TestServers.execute("create table " + name + " (n bigserial, id text not null)");
    return name;
  }

  @AfterEach
  void end() throws Exception {
    for (AutoCloseable each : opened) {
      each.close();
    }
    holdfast.close();
    pool.close();
  }

  private static ConditionFactory eventually() {
    return await().atMost(LONG);
  }

  private RabbitMqInbox listen(RabbitMqInboxSettings how) {
    return listen(how, TestServers.Rabbit.SERVER.port());
  }

  private RabbitMqInbox listen(RabbitMqInboxSettings how, int port) {
    RabbitMqInbox listener =
        RabbitMqInbox.start(TestServers.client(port), queue, inbox, how, handler());
    opened.add(listener);
    return listener;
  }

  private RabbitMqHandler handler() {
    return (tx, message) -> {
      tx.update("insert into " + table + " (id) values (?)", body(message));
      if (poison.contains(body(message))) {
        throw new IllegalStateException(body(message) + " is poison");
      }
    };
  }

  private static String body(Delivery message) {
    return new String(message.getBody(), StandardCharsets.UTF_8);
  }

  private void send(String key, String... bodies) {
    for (String body : bodies) {
      send(
          body,
          new AMQP.BasicProperties.Builder()
              .messageId("id-" + body)
              .deliveryMode(2)
              .headers(Map.of(KEY, key))
              .build());
    }
  }

  private void send(String body, AMQP.BasicProperties properties) {
    TestServers.onChannel(
        channel -> {
          channel.confirmSelect();
          channel.basicPublish("", queue, properties, body.getBytes(StandardCharsets.UTF_8));
          channel.waitForConfirmsOrDie(10_000);
          return true;
        });
  }

  private List<String> handled() {
    List<String> ids = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(TestServers.POSTGRES.jdbcUrl());
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select id from " + table + " order by n")) {
      while (rows.next()) {
        ids.add(rows.getString(1));
      }
      return ids;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private void assertHandled(String... ids) {
    eventually().untilAsserted(() -> assertThat(handled()).containsExactly(ids));
  }

  private List<Lane> lanes() {
    return store.all(consumer, 100);
  }

  private void assertParked(String lane, long messages) {
    eventually()
        .untilAsserted(
            () ->
                assertThat(lanes())
                    .anyMatch(each -> each.name().equals(lane) && each.records() == messages));
  }

  private void release(String lane) {
    assertThat(store.release(consumer, queue, 0, lane, "test")).isTrue();
  }

  @Test
  @Attacks("listener.parked")
  void aMessageThatCannotBeHandledIsParkedWithTheLaterOnesOfItsKeyAndReplayedInOrder() {
    poison.add("a1");
    RabbitMqInbox listener = listen(settings);
    send("a", "a1", "a2");
    send("b", "b1");
    assertHandled("b1");
    assertParked("k:a", 2);
    assertThat(lanes()).singleElement().extracting(Lane::reason).asString().contains("is poison");
    assertThat(listener.status().parked()).isEqualTo(2);

    // Again in vain, and nothing comes before it.
    release("k:a");
    eventually().until(() -> lanes().stream().noneMatch(Lane::releasing));
    assertThat(handled()).containsExactly("b1");

    poison.clear();
    release("k:a");
    assertHandled("b1", "a1", "a2");
    eventually().until(() -> lanes().isEmpty());
    send("a", "a3");
    assertHandled("b1", "a1", "a2", "a3");
    listener.close();
    assertThat(TestServers.waiting(queue) + TestServers.waiting(dead)).isZero();
  }

  @Test
  @Attacks("listener.parked")
  void whatIsReleasedIsHandledWhileTheBrokerIsAway() {
    poison.add("a1");
    try (TcpRelay relay = TcpRelay.to("127.0.0.1", TestServers.Rabbit.SERVER.port())) {
      RabbitMqInbox listener = listen(settings, relay.port());
      send("a", "a1", "a2");
      assertParked("k:a", 2);
      relay.cut();
      eventually().until(() -> listener.status().connected() == 0);
      poison.clear();
      release("k:a");
      assertHandled("a1", "a2");
      relay.restore();
      eventually().until(() -> listener.status().connected() == 1);
    }
  }

  @Test
  @Attacks("listener.parked")
  void aListenerThatTakesOverFindsWhatTheOtherHasParked() {
    poison.addAll(List.of("a1", "a4"));
    RabbitMqInbox first = listen(settings);
    RabbitMqInbox second = listen(settings);
    send("a", "a1", "a2");
    assertParked("k:a", 2);
    // Of the two one is active; which is not known.
    (first.status().parked() > 0 ? first : second).close();
    send("a", "a3", "a4", "a5");
    assertParked("k:a", 5);
    poison.remove("a1");
    release("k:a");
    assertHandled("a1", "a2", "a3");
    assertParked("k:a", 2);
    poison.clear();
    release("k:a");
    assertHandled("a1", "a2", "a3", "a4", "a5");
  }

  @Test
  void whatTheHandlerSeesOfAParkedMessageIsWhatWasSent() {
    Queue<Delivery> seen = new ConcurrentLinkedQueue<>();
    opened.add(
        RabbitMqInbox.start(
            TestServers.client(),
            queue,
            inbox,
            settings,
            (tx, message) -> {
              seen.add(message);
              if (seen.size() < 3) {
                throw new IllegalStateException("not yet");
              }
            }));
    send(
        "body",
        new AMQP.BasicProperties.Builder()
            .messageId("id-1")
            .type("order")
            .contentType("text/plain")
            .correlationId("c-1")
            .replyTo("answers")
            .priority(3)
            .deliveryMode(2)
            .timestamp(java.util.Date.from(java.time.Instant.ofEpochSecond(1_700_000_000)))
            .headers(
                Map.of(
                    "i",
                    1,
                    "j",
                    Long.MIN_VALUE,
                    "z",
                    true,
                    "d",
                    0.1,
                    "s",
                    "text",
                    "x",
                    new byte[] {0, -1},
                    "list",
                    List.of(1, "two"),
                    "map",
                    Map.of("k", 1)))
            .build());
    assertParked("m:id-1", 1);
    release("m:id-1");
    eventually().until(() -> lanes().isEmpty());
    List<Delivery> all = List.copyOf(seen);
    assertThat(all).hasSize(3);
    Delivery replayed = all.get(2);
    assertThat(replayed.getProperties())
        .usingRecursiveComparison()
        .isEqualTo(all.get(0).getProperties());
    assertThat(replayed.getProperties().getHeaders()).hasSize(8);
    assertThat(body(replayed)).isEqualTo("body");
    assertThat(replayed.getEnvelope().getRoutingKey()).isEqualTo(queue);
    assertThat(replayed.getEnvelope().isRedeliver()).isTrue();
  }

  @Test
  @Attacks("listener.parked")
  void aMessageThatComesAgainAfterItWasParkedIsKnown() {
    poison.add("a1");
    RabbitMqInbox listener = listen(settings);
    send("a", "a1", "a1");
    eventually().until(() -> listener.status().repeated() == 1);
    assertParked("k:a", 1);
    poison.clear();
    release("k:a");
    assertHandled("a1");
    send("a", "a1");
    eventually().until(() -> listener.status().repeated() == 2);
    assertThat(handled()).containsExactly("a1");
  }

  @Test
  void aKeyThatWasSentAsBytesIsTheSameAsText() {
    poison.add("a1");
    listen(settings);
    send(
        "a1",
        new AMQP.BasicProperties.Builder()
            .messageId("id-1")
            .headers(Map.of(KEY, "a".getBytes(StandardCharsets.UTF_8)))
            .build());
    assertParked("k:a", 1);
    send("a", "a2");
    assertParked("k:a", 2);
  }

  @Test
  void aMessageWithoutAnIdIsParkedAtOnceAndOneThatIsTooLargeIsADeadLetter() {
    listen(settings.withParking(RabbitMqParking.DEFAULT.withMaxBytes(500)));
    send("nameless", new AMQP.BasicProperties.Builder().headers(Map.of(KEY, "a")).build());
    assertParked("k:a", 1);
    assertThat(lanes())
        .singleElement()
        .extracting(Lane::reason)
        .asString()
        .contains("no message-id");
    send(
        "x".repeat(600),
        new AMQP.BasicProperties.Builder().messageId("large").headers(Map.of(KEY, "a")).build());
    eventually().until(() -> TestServers.waiting(dead) == 1);
    assertThat(TestServers.drain(dead).get(0).getProps().getHeaders().get("holdfast_reason"))
        .asString()
        .contains("500 are allowed");
    assertParked("k:a", 1);
    long first = Objects.requireNonNull(lanes().get(0).first());
    assertThat(store.skip(consumer, queue, 0, first, "test")).isTrue();
  }

  @Test
  @Attacks("listener.parked")
  void whenNoMoreMayBeParkedTheNextWaitsAndNothingIsLost() {
    poison.addAll(List.of("a1", "b1"));
    RabbitMqInbox listener = listen(settings.withParking(RabbitMqParking.DEFAULT.withMaxParked(1)));
    send("a", "a1");
    assertParked("k:a", 1);
    send("b", "b1", "b2");
    eventually().until(() -> listener.status().full());
    assertThat(lanes()).hasSize(1);
    poison.clear();
    release("k:a");
    assertParked("k:b", 1);
    release("k:b");
    assertHandled("a1", "b1", "b2");
    assertThat(listener.status().full()).isFalse();
  }
}
