package dev.holdfast.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.inbox.ConsumerProgress;
import dev.holdfast.inbox.ListenerStatus;
import dev.holdfast.inbox.store.OffsetStore.Position;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import dev.holdfast.micrometer.ConsumerMeters.Held;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What receives messages, in meters. */
final class ConsumerMetersTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  private final MeterRegistry registry = new SimpleMeterRegistry();
  private final ConsumerMeters meters = new ConsumerMeters(registry);

  private static double value(MeterRegistry registry, String name) {
    return registry
        .get("holdfast." + name)
        .tag("consumer", "shipping")
        .meter()
        .measure()
        .iterator()
        .next()
        .getValue();
  }

  private double value(String name) {
    return value(registry, name);
  }

  /** As the database says now. */
  private static double held(Holdfast holdfast, KafkaInbox shipping, String name) {
    MeterRegistry fresh = new SimpleMeterRegistry();
    new ConsumerMeters(fresh)
        .observe(
            consumer ->
                Held.of(holdfast.store().offsets(), holdfast.store().consumerParking(), consumer),
            "shipping",
            shipping::progress,
            Duration.ZERO);
    return value(fresh, name);
  }

  @Test
  void whatAConsumerOfKafkaDoesShowsInTheMeters() {
    try (PostgresServer postgres = PostgresServer.start();
        KafkaServer kafka = KafkaServer.start();
        KafkaProducer<String, String> producer =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers()),
                new StringSerializer(),
                new StringSerializer())) {
      kafka.createTopic("orders", 1);
      PGSimpleDataSource dataSource = new PGSimpleDataSource();
      dataSource.setUrl(postgres.jdbcUrl());
      try (Holdfast holdfast = Holdfast.on(dataSource).start();
          KafkaInbox shipping =
              KafkaInbox.start(
                  holdfast,
                  "shipping",
                  Map.of("bootstrap.servers", kafka.bootstrapServers()),
                  KafkaInboxSettings.DEFAULT.withAttempts(1),
                  List.of("orders"),
                  (tx, message) -> {
                    if (new String(message.value(), StandardCharsets.UTF_8).equals("bad")) {
                      throw new IllegalStateException("bad");
                    }
                  })) {
        // snippet:consumer-meters
        meters.observe(holdfast, "shipping", shipping::progress);
        // end
        List.of("a good", "b bad", "b later", "c good")
            .forEach(
                each ->
                    producer.send(
                        new ProducerRecord<>("orders", each.substring(0, 1), each.substring(2))));
        producer.flush();
        await().atMost(BOUND).until(() -> value("consumer.handled") == 2);
        await().atMost(BOUND).until(() -> value("consumer.parkings") == 2);
        assertThat(held(holdfast, shipping, "consumer.parked")).isEqualTo(2);
        await().atMost(BOUND).until(() -> value("consumer.partitions") == 1);
        assertThat(held(holdfast, shipping, "consumer.paused")).isZero();

        shipping.pause("for the test");
        assertThat(held(holdfast, shipping, "consumer.paused")).isEqualTo(1);
        // It is seen within about a second, and what comes until then is handled.
        await()
            .atMost(BOUND)
            .until(
                () -> {
                  producer.send(new ProducerRecord<>("orders", "d", "good"));
                  producer.flush();
                  return value("consumer.lag") > 0;
                });
        assertThat(held(holdfast, shipping, "consumer.stopped")).isZero();
        Position position = holdfast.store().offsets().positions("shipping").get(0);
        assertThat(holdfast.store().offsets().stop("shipping", position, "why")).isTrue();
        assertThat(held(holdfast, shipping, "consumer.stopped")).isEqualTo(1);
      }
    }
  }

  @Test
  void aReleasedRecordCountsAsHandledWhenItIs() {
    AtomicBoolean repaired = new AtomicBoolean();
    try (PostgresServer postgres = PostgresServer.start();
        KafkaServer kafka = KafkaServer.start();
        KafkaProducer<String, String> producer =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers()),
                new StringSerializer(),
                new StringSerializer())) {
      kafka.createTopic("orders", 1);
      PGSimpleDataSource dataSource = new PGSimpleDataSource();
      dataSource.setUrl(postgres.jdbcUrl());
      try (Holdfast holdfast = Holdfast.on(dataSource).start();
          KafkaInbox shipping =
              KafkaInbox.start(
                  holdfast,
                  "shipping",
                  Map.of("bootstrap.servers", kafka.bootstrapServers()),
                  KafkaInboxSettings.DEFAULT.withAttempts(1),
                  List.of("orders"),
                  (tx, message) -> {
                    if (!repaired.get()) {
                      throw new IllegalStateException("bad");
                    }
                  })) {
        meters.observe(holdfast, "shipping", shipping::progress);
        producer.send(new ProducerRecord<>("orders", "k", "bad"));
        producer.flush();
        await().atMost(BOUND).until(() -> value("consumer.parkings") == 1);
        assertThat(value("consumer.handled")).isZero();

        repaired.set(true);
        String lane = holdfast.store().consumerParking().all("shipping", 1).get(0).name();
        holdfast.store().consumerParking().release("shipping", "orders", 0, lane, "test");
        await().atMost(BOUND).until(() -> value("consumer.handled") == 1);
        assertThat(held(holdfast, shipping, "consumer.parked")).isZero();
      }
    }
  }

  @Test
  void whatAListenerDoesShowsInTheMetersAndSeveralOfOneConsumerAreAddedUp() {
    AtomicReference<ListenerStatus> status = new AtomicReference<>(listener(1, 5, 2, 3, 1));
    meters.observe("shipping", status::get);
    assertThat(value("listener.connected")).isEqualTo(1);
    assertThat(value("listener.handled")).isEqualTo(5);
    assertThat(value("listener.repeated")).isEqualTo(2);
    assertThat(value("listener.failed")).isEqualTo(3);
    assertThat(value("listener.given.up")).isEqualTo(1);
    assertThat(value("listener.parkings")).isEqualTo(7);
    assertThat(value("listener.replayed")).isEqualTo(4);
    assertThat(value("listener.full")).isEqualTo(1);

    meters.observe("shipping", () -> listener(2, 10, 0, 0, 0));
    status.set(listener(0, 6, 2, 3, 1));
    assertThat(value("listener.connected")).isEqualTo(2);
    assertThat(value("listener.handled")).isEqualTo(16);
  }

  static ListenerStatus listener(
      int connected, long handled, long repeated, long failed, long givenUp) {
    return new ListenerStatus(connected, handled, repeated, failed, givenUp, 7, 4, true);
  }

  @Test
  void aDatabaseThatDoesNotAnswerHasNoFiguresAndWhatThisProcessKnowsStays() {
    meters.observe(
        consumer -> {
          throw new StoreUnavailable("down", new SQLException());
        },
        "shipping",
        () -> new ConsumerProgress(3, 7, 11, 0),
        Duration.ZERO);
    assertThat(value("consumer.parked")).isNaN();
    assertThat(value("consumer.stopped")).isNaN();
    assertThat(value("consumer.paused")).isNaN();
    assertThat(value("consumer.lag")).isEqualTo(7);
    assertThat(value("consumer.handled")).isEqualTo(11);
  }
}
