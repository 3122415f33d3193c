package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.kafka.Sabotage.Point;
import dev.holdfast.kafka.Sabotage.Without;
import dev.holdfast.postgres.PostgresStore;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A relay that really dies (SIGKILL) around Kafka's commit, inside of which the crash lab sees no
 * points, and another that goes on. All other points: {@link KafkaOutboxConformanceTest}.
 */
final class RelayCrashTest {
  private static final Duration SOON = Duration.ofSeconds(90);

  private final String schema = TestServers.unique("crash_");
  private final String topic = TestServers.unique("crash");
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
      names = {"AFTER_SEND_BEFORE_COMMIT", "AFTER_COMMIT"})
  @Attacks({
    "outbox.delivery.none-lost",
    "outbox.delivery.once",
    "outbox.order",
    "outbox.recovery.takeover"
  })
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

  @Tag("long")
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
}
