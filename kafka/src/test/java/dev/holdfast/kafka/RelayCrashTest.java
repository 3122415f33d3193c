package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.kafka.Sabotage.Point;
import dev.holdfast.kafka.Sabotage.Without;
import dev.holdfast.postgres.PostgresStore;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** A relay that dies at each point where its death could hurt, and another that goes on. */
final class RelayCrashTest {
  private static final Duration SOON = Duration.ofSeconds(90);

  private final String schema = TestServers.unique("crash_");
  private final String topic = TestServers.unique("crash");
  private final String missing = topic + "-missing";
  private final HikariDataSource pool = TestServers.pool(TestServers.POSTGRES.jdbcUrl());
  private final PostgresStore store = PostgresStore.open(pool, schema);
  private Holdfast holdfast;
  private Shop shop;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("orders", List.of(topic + "*"));
    TestServers.KAFKA.createTopic(topic, 2);
    holdfast = Holdfast.on(pool).schema(schema).schemaManagedElsewhere().start();
    shop = new Shop(pool, holdfast, schema, topic);
  }

  @AfterEach
  void end() {
    shop.close();
    holdfast.close();
    pool.close();
  }

  private RelayProcess relay(Sabotage sabotage) {
    return RelayProcess.start(TestServers.POSTGRES.jdbcUrl(), schema, topic, sabotage);
  }

  /** The one that takes over, in this process. */
  private Holdfast survivor() {
    return Holdfast.on(pool)
        .schema(schema)
        .relay(RelayProcess.settings())
        .channel("orders", TestServers.target(), topic + "*")
        .start();
  }

  private void order(int count, long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      shop.order("c" + random.nextInt(7), random.nextBoolean(), random.nextInt(6) == 0);
    }
  }

  private static void awaitDeath(RelayProcess relay) {
    await().atMost(SOON).until(() -> !relay.isAlive());
  }

  @ParameterizedTest
  @EnumSource(
      value = Point.class,
      names = {"BEFORE_SEND", "AFTER_SEND_BEFORE_COMMIT", "AFTER_COMMIT"})
  void aDeathWhileDeliveringLosesInventsRepeatsAndReordersNothing(Point point) {
    try (RelayProcess first = relay(Sabotage.diesAt(point, 3))) {
      order(150, 1);
      awaitDeath(first);
    }
    order(50, 2);
    try (Holdfast second = survivor()) {
      await().atMost(SOON).until(() -> shop.allDelivered(topic));
      order(20, 3);
      await().atMost(SOON).until(() -> shop.allDelivered(topic));
      assertThat(shop.count(topic)).as(point.name()).isEqualTo(Shop.Count.CLEAN);
    }
  }

  @Test
  void withoutTheProgressRecordTheSameDeathRepeatsMessages() {
    Sabotage dies = Sabotage.diesAt(Point.AFTER_COMMIT, 3).without(Without.PROGRESS_RECORD);
    try (RelayProcess first = relay(dies)) {
      order(150, 1);
      awaitDeath(first);
    }
    try (RelayProcess second = relay(Sabotage.NONE.without(Without.PROGRESS_RECORD))) {
      await().atMost(SOON).until(() -> shop.allDelivered(topic));
      assertThat(shop.count(topic).duplicate()).isPositive();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Point.class,
      mode = Mode.EXCLUDE,
      names = {"NEVER", "BEFORE_SEND", "AFTER_SEND_BEFORE_COMMIT", "AFTER_COMMIT"})
  void aDeathAroundParkingAndReplayKeepsTheKeyWholeAndInOrder(Point point) throws Exception {
    boolean whileParking = point == Point.BEFORE_PARK || point == Point.AFTER_PARK;
    order(30, 4);
    shop.order("bad", topic, false, false);
    shop.order("bad", missing, false, false);
    shop.order("bad", topic, false, false);
    order(30, 5);
    shop.order("bad", topic, false, false);
    try (AutoCloseable first = whileParking ? relay(Sabotage.diesAt(point, 1)) : survivor()) {
      if (first instanceof RelayProcess dying) {
        awaitDeath(dying);
      } else {
        awaitParked();
      }
    }
    if (whileParking) {
      try (Holdfast second = survivor()) {
        awaitParked();
      }
    }
    TestServers.KAFKA.createTopic(missing, 1);
    store.parking().orderUnpark("orders", "k:bad", "test");
    shop.order("bad", topic, false, false);
    order(30, 6);
    if (!whileParking) {
      try (RelayProcess second = relay(Sabotage.diesAt(point, 1))) {
        awaitDeath(second);
      }
    }
    shop.order("bad", topic, false, false);
    try (Holdfast last = survivor()) {
      await()
          .atMost(SOON)
          .until(
              () ->
                  shop.allDelivered(topic, missing)
                      && store.parking().list("orders", 10).isEmpty()
                      && !store.parking().anyParked("orders"));
      assertThat(shop.count(topic, missing)).as(point.name()).isEqualTo(Shop.Count.CLEAN);
    }
  }

  private void awaitParked() {
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              assertThat(store.parking().list("orders", 10)).hasSize(3);
              assertThat(shop.count(topic).lost()).isEqualTo(3);
            });
  }
}
