package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidMessage;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import dev.holdfast.UnroutedTopic;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.store.ParkedMessage;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Input that cannot be taken or delivered, amid input that can. */
final class BadInputTest {
  private static final int GOOD_KEYS = 5;

  /** Longer than a broker takes for a transaction's marker, which is as old as its transaction. */
  private static final Duration OLD = Duration.ofSeconds(2);

  private final Stage stage = new Stage("bad");
  private final String picky = stage.topic + "-picky";

  @AfterEach
  void end() {
    stage.close();
  }

  private Holdfast start(KafkaTarget target) {
    return Holdfast.on(stage.pool)
        .schema(stage.schema)
        .relay(RelayProcess.settings())
        .channel("orders", target, stage.topic + "*")
        .start();
  }

  private static void createTopic(String name, Map<String, String> config) throws Exception {
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers()))) {
      NewTopic topic = new NewTopic(name, Optional.of(1), Optional.empty()).configs(config);
      admin.createTopics(List.of(topic)).all().get();
    }
  }

  private static Message of(String topic, String key, String value) {
    return Message.to(topic).key(key).json(value).build();
  }

  /**
   * A topic's settings, a message that the broker refuses for them, and what it says then.
   *
   * @param goodToo whether the topic takes other messages
   */
  private record Refusal(
      Map<String, String> config, Message.Builder bad, String says, boolean goodToo) {}

  private Refusal refusal(String name) {
    Message.Builder keyed = Message.to(picky).key("bad");
    return switch (name) {
      case "too large" ->
          new Refusal(
              Map.of("max.message.bytes", "2000"), keyed.json(noise(10_000)), "large", true);
      case "no key for a compacted topic" ->
          new Refusal(
              Map.of("cleanup.policy", "compact"), Message.to(picky).json("1"), "key", true);
      case "too old" ->
          new Refusal(
              Map.of("message.timestamp.before.max.ms", Long.toString(OLD.toMillis())),
              keyed.json("1"),
              "timestamp",
              false);
      default -> throw new IllegalArgumentException(name);
    };
  }

  /** Not to be compressed. */
  private static String noise(int length) {
    return new java.util.Random(1)
        .ints(length, 'a', 'z' + 1)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  @ParameterizedTest
  @CsvSource({
    "too large, false", "too large, true",
    "no key for a compacted topic, false", "no key for a compacted topic, true",
    "too old, false", "too old, true"
  })
  void whatTheBrokerRefusesIsParkedAndTheRestOfItsBatchIsDelivered(String name, boolean plain)
      throws Exception {
    Refusal refusal = refusal(name);
    createTopic(picky, refusal.config());
    String goodTopic = refusal.goodToo() ? picky : stage.topic;
    Message bad = refusal.bad().build();
    // One window, and so one batch.
    stage.writer.transact(
        tx -> {
          for (int i = 0; i < GOOD_KEYS; i++) {
            tx.publish(of(goodTopic, "good-" + i, "1"));
          }
          tx.publish(bad);
          tx.publish(of(stage.topic, "bad", "2"));
          for (int i = 0; i < GOOD_KEYS; i++) {
            tx.publish(of(goodTopic, "good-" + i, "2"));
          }
        });
    await()
        .atMost(Stage.SOON)
        .until(
            () ->
                refusal.goodToo()
                    || stage.store.channels().status("orders").lag().compareTo(OLD) > 0);
    try (Holdfast relay = start(plain ? TestServers.target().plain() : TestServers.target())) {
      relay.transact(tx -> tx.publish(of(stage.topic, "last", "1")));
      await()
          .atMost(Stage.SOON)
          .untilAsserted(
              () -> {
                assertThat(values(stage.topic, "last", plain)).containsExactly("1");
                for (int i = 0; i < GOOD_KEYS; i++) {
                  assertThat(values(goodTopic, "good-" + i, plain)).containsExactly("1", "2");
                }
                List<ParkedMessage> parked = stage.store.parking().list("orders", 10);
                assertThat(parked)
                    .as("the refused message, and the later ones of its key")
                    .hasSize(bad.key() == null ? 1 : 2);
                assertThat(parked.get(0).message().id()).isEqualTo(bad.id());
                assertThat(parked.get(0).reason()).containsIgnoringCase(refusal.says());
              });
      assertThat(relay.status().get(0).phase()).isEqualTo(RelayPhase.LEADING);
    }
  }

  /** In the plain mode repeats are possible. */
  private static List<String> values(String topic, String key, boolean withoutRepeats) {
    Stream<String> values =
        TestServers.readCommitted(topic).stream()
            .filter(record -> key.equals(record.key()))
            .map(ConsumerRecord::value);
    return (withoutRepeats ? values.distinct() : values).toList();
  }

  /** A publisher's mistake, and what it is told. */
  private record Mistake(
      String name, Class<? extends HoldfastException> error, String says, Consumer<Holdfast> act) {}

  @SuppressWarnings("NullAway") // Nulls are among the mistakes.
  private Stream<Mistake> mistakes() {
    return Stream.of(
        new Mistake(
            "autocommit",
            NoTransaction.class,
            "nothing was recorded",
            holdfast -> onConnection(connection -> holdfast.publish(connection, good()))),
        new Mistake(
            "closed connection",
            NoTransaction.class,
            "nothing was recorded",
            holdfast ->
                onConnection(
                    connection -> {
                      close(connection);
                      holdfast.publish(connection, good());
                    })),
        inTransaction("null topic", InvalidMessage.class, "not recorded", () -> of(null, "k", "1")),
        inTransaction(
            "long topic",
            InvalidMessage.class,
            "not recorded",
            () -> of("t".repeat(250), "k", "1")),
        inTransaction(
            "null key", InvalidMessage.class, "not recorded", () -> of(stage.topic, null, "1")),
        inTransaction(
            "long key",
            InvalidMessage.class,
            "not recorded",
            () -> of(stage.topic, "k".repeat(513), "1")),
        inTransaction(
            "unrouted", UnroutedTopic.class, "nothing was recorded", () -> of("nobodys", "k", "1")),
        inTransaction(
            "payload",
            InvalidMessage.class,
            "nothing was recorded",
            () -> of(stage.topic, "k", "x".repeat(1_000_001))));
  }

  private Message good() {
    return of(stage.topic, "k", "1");
  }

  /** Among others that are fine, which then are not recorded either. */
  private Mistake inTransaction(
      String name, Class<? extends HoldfastException> error, String says, Supplier<Message> bad) {
    return new Mistake(
        name,
        error,
        says,
        holdfast ->
            holdfast.transact(
                tx -> {
                  tx.publish(good());
                  tx.publish(bad.get());
                }));
  }

  private void onConnection(Consumer<Connection> act) {
    try (Connection connection = stage.pool.getConnection()) {
      act.accept(connection);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void close(Connection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  @Attacks("outbox.refusal")
  void aPublishersMistakeIsAnsweredInWordsRecordsNothingAndTroublesNobody() {
    try (Holdfast relay = start(TestServers.target())) {
      mistakes()
          .forEach(
              mistake -> {
                assertThatThrownBy(() -> mistake.act().accept(relay))
                    .as(mistake.name())
                    .isInstanceOf(mistake.error())
                    .hasMessageContaining(mistake.says());
                stage.awaitAll();
              });
      assertThat(stage.count()).isEqualTo(Shop.Count.CLEAN);
      assertThat(relay.status().get(0).phase()).isEqualTo(RelayPhase.LEADING);
    }
  }

  @Tag("long") // Kafka's clients take their time to give an address up.
  @Test
  void aBrokerThatDoesNotListenBlocksTheChannelAndMessagesWait() {
    whileTheBrokerIsOutOfReachMessagesWait("127.0.0.1:1", false);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aBrokerWhoseNameIsUnknownBlocksTheChannelAndMessagesWait(boolean plain) {
    whileTheBrokerIsOutOfReachMessagesWait("nowhere.invalid:9092", plain);
  }

  private void whileTheBrokerIsOutOfReachMessagesWait(String address, boolean plain) {
    KafkaTarget nowhere = Kafka.to(Map.of("bootstrap.servers", address, "max.block.ms", "1000"));
    int order;
    try (Holdfast relay = start(plain ? nowhere.plain() : nowhere)) {
      order = stage.order();
      await().atMost(Stage.SOON).until(() -> relay.status().get(0).phase() == RelayPhase.BLOCKED);
      assertThat(relay.status().get(0).problem())
          .contains(address, "could not be reached", "Nothing was delivered", "tried again");
      assertThat(stage.store.channels().status("orders").lagMessages()).isEqualTo(1);
      assertThat(stage.store.parking().anyParked("orders")).isFalse();
    }
    try (Holdfast relay = start(TestServers.target())) {
      stage.awaitDelivery(order);
      assertThat(stage.count()).isEqualTo(Shop.Count.CLEAN);
    }
  }
}
