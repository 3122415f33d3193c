package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.kafka.Sabotage.Point;
import dev.holdfast.kafka.Sabotage.Without;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.postgres.PostgresStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A leader that was paused and wakes up beside its successor. */
final class TwoLeadersTest {
  private static final Duration SOON = Duration.ofSeconds(90);
  private static final Duration LONG = Duration.ofMinutes(1);

  private final String schema = TestServers.unique("leaders_");
  private final String topic = TestServers.unique("leaders");
  private final HikariDataSource pool = TestServers.pool(TestServers.POSTGRES.jdbcUrl());
  private final PostgresStore store = PostgresStore.open(pool, schema);
  private Holdfast writer;
  private Shop shop;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("orders", List.of(topic + "*"));
    TestServers.KAFKA.createTopic(topic, 1);
    writer = Holdfast.on(pool).schema(schema).schemaManagedElsewhere().start();
    shop = new Shop(pool, writer, schema, topic);
  }

  @AfterEach
  void end() {
    shop.close();
    writer.close();
    pool.close();
  }

  private void order(int count) {
    for (int i = 0; i < count; i++) {
      shop.order("c" + i % 5, i % 2 == 0, i % 7 == 0);
    }
  }

  private Optional<String> leader() {
    return Optional.ofNullable(store.channels().status("orders").leader());
  }

  /** Before and after that transaction: {@link KafkaOutboxConformanceTest}. */
  @Test
  @Attacks({"outbox.recovery.zombie", "outbox.delivery.once"})
  void aLeaderThatWakesUpInsideOfAKafkaTransactionChangesNothing() {
    assertThat(pausedAndWokenUp(Sabotage.stopsAt(Point.AFTER_SEND_BEFORE_COMMIT, 3)))
        .isEqualTo(Shop.Count.CLEAN);
  }

  @Tag("long")
  @Test
  void withoutTheTargetsFenceAPausedLeaderThatWakesUpRepeatsMessages() {
    Sabotage sabotage = Sabotage.stopsAt(Point.BEFORE_SEND, 3).without(Without.TARGET_FENCE);
    assertThat(pausedAndWokenUp(sabotage).duplicate()).isPositive();
  }

  /** The leader stops with a batch in its hands; its successor leads; then it goes on. */
  private Shop.Count pausedAndWokenUp(Sabotage sabotage) {
    String url = TestServers.POSTGRES.jdbcUrl();
    try (RelayProcess paused = RelayProcess.start(url, schema, topic, sabotage)) {
      order(100);
      await().atMost(SOON).until(paused::isStopped);
      Sabotage none = Sabotage.NONE.without(sabotage.without());
      try (RelayProcess successor = RelayProcess.start(url, schema, topic, none)) {
        order(50);
        await().atMost(SOON).until(() -> leader().equals(Optional.of(successor.owner())));
        await().atMost(SOON).until(() -> shop.allDelivered(topic));
        paused.signal("CONT");
        order(50);
        await().atMost(SOON).until(() -> shop.allDelivered(topic));
        // It has found out when it stands by: what it had in its hands is then sent or given up.
        successor.kill();
        order(50);
        await().atMost(SOON).until(() -> leader().equals(Optional.of(paused.owner())));
        await().atMost(SOON).until(() -> shop.allDelivered(topic));
        return shop.count(topic);
      }
    }
  }

  @Test
  @Attacks("outbox.recovery.zombie")
  void aLeaderThatStillBelievesInItselfIsRefusedAtKafkaAndInTheDatabase() {
    order(10);
    Cursor start = store.channels().progress("orders").cursor();
    List<OutboxRecord> page =
        store.log().read("orders", start, new OutboxLog.Limit(100, 1 << 20), true).records();
    Target.Context context = new Target.Context("orders", schema + "-orders");
    Lease old =
        store.leases().tryAcquire("channel/orders", "old", Duration.ofMillis(1)).orElseThrow();
    try (TargetSession zombie = TestServers.target().open(context)) {
      zombie.peekProgress(); // creates the progress topic
      zombie.takeOver();
      assertThat(zombie.send(List.of(), "of the old one")).isInstanceOf(Delivery.Done.class);
      Lease current =
          await()
              .atMost(SOON)
              .until(
                  () -> store.leases().tryAcquire("channel/orders", "new", LONG),
                  Optional::isPresent)
              .orElseThrow();
      try (TargetSession leader = TestServers.target().open(context)) {
        leader.takeOver();
        assertThat(zombie.send(page, "of the zombie")).isInstanceOf(Delivery.Fenced.class);
        assertThat(leader.progress()).contains("of the old one");
        assertThat(TestServers.readCommitted(topic)).isEmpty();
        assertThat(store.channels().saveProgress(old, "orders", start, "zombie")).isFalse();
        assertThat(
                store.parking().park(old, "orders", Map.of("k:c1", "r"), Map.of("k:c1", 1L), page))
            .isFalse();
        assertThat(leader.send(page, "of the new one")).isInstanceOf(Delivery.Done.class);
        assertThat(store.channels().saveProgress(current, "orders", start, "r")).isTrue();
        assertThat(zombie.send(page, "of the zombie again")).isNotInstanceOf(Delivery.Done.class);
        assertThat(leader.progress()).contains("of the new one");
        assertThat(shop.count(topic)).isEqualTo(Shop.Count.CLEAN);
      }
    }
  }
}
