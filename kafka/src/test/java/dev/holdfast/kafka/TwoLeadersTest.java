package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.kafka.RelayProcess.Point;
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

  @Test
  void aPausedLeaderThatWakesUpChangesNothing() {
    try (RelayProcess paused =
        RelayProcess.start(TestServers.POSTGRES.jdbcUrl(), schema, topic, Point.NEVER, 1, false)) {
      order(20);
      await().atMost(SOON).until(() -> shop.allDelivered(topic));
      String first = leader().orElseThrow();
      try (Holdfast successor =
          Holdfast.on(pool)
              .schema(schema)
              .owner("successor")
              .relay(RelayProcess.settings())
              .channel("orders", TestServers.target(), topic + "*")
              .start()) {
        order(100);
        // In the middle of what it does, whatever that is.
        paused.signal("STOP");
        order(50);
        await().atMost(SOON).until(() -> leader().equals(Optional.of("successor")));
        await().atMost(SOON).until(() -> shop.allDelivered(topic));
        paused.signal("CONT");
        order(100);
        await().atMost(SOON).until(() -> shop.allDelivered(topic));
        assertThat(first).isNotEqualTo("successor");
        assertThat(shop.count(topic)).isEqualTo(Shop.Count.CLEAN);
      }
    }
  }

  @Test
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
