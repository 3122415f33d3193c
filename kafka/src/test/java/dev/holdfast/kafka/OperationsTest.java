package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.store.ChannelState;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What operators and other sessions do to a relay at work. */
final class OperationsTest {
  private static final int TIMES = 2;

  private final Stage stage = new Stage("operations");
  private final Traffic traffic = new Traffic(stage.shop, 5);

  @AfterEach
  void end() {
    traffic.close();
    stage.close();
  }

  private void order(int enough) {
    int before = traffic.attempted();
    traffic.permit(enough + 100);
    await().atMost(Stage.SOON).until(() -> traffic.attempted() - before >= enough);
  }

  private Shop.Count countAtTheEnd() {
    traffic.close();
    stage.awaitAll();
    assertThat(traffic.failed()).isZero();
    return stage.count();
  }

  @Test
  void aNewEraFencesTheLeaderAndLosesAndReordersNothing() {
    try (Holdfast relay = stage.relay().start()) {
      stage.awaitAll();
      for (int era = 2; era <= 1 + TIMES; era++) {
        order(50);
        long epoch = stage.epoch();
        assertThat(stage.store.channels().reanchor("orders", false, "test")).isEqualTo(era);
        await("taken from the leader, and taken again")
            .atMost(Stage.SOON)
            .until(() -> stage.epoch() > epoch + 1);
        stage.awaitAll();
      }
      Shop.Count count = countAtTheEnd();
      // The last moments before may be delivered again, as the manual says.
      assertThat(new Shop.Count(count.lost(), count.phantom(), 0, count.reordered()))
          .isEqualTo(Shop.Count.CLEAN);
    }
  }

  @Test
  void aChannelThatIsRemovedAndRegisteredAnewDelivers() {
    for (int time = 0; time <= TIMES; time++) {
      try (Holdfast relay = stage.relay().start()) {
        stage.awaitAll();
        stage.awaitDelivery(stage.order());
        assertThat(relay.status().get(0).phase()).isEqualTo(RelayPhase.LEADING);
      }
      stage.store.channels().remove("orders", true, "test");
    }
  }

  @Test
  void aChannelThatIsPausedAndResumedUnderLoadLosesRepeatsAndReordersNothing() {
    try (Holdfast relay = stage.relay().start()) {
      stage.awaitAll();
      for (int i = 0; i < TIMES; i++) {
        order(50);
        stage.store.channels().setState("orders", ChannelState.PAUSED, "test", "lunch");
        await().atMost(Stage.SOON).until(() -> relay.status().get(0).phase() == RelayPhase.PAUSED);
        int meanwhile = stage.order();
        assertThat(stage.leader()).isEmpty();
        assertThat(stage.store.channels().status("orders").lagMessages()).isPositive();
        assertThat(stage.shop.delivered(meanwhile)).isFalse();
        stage.store.channels().setState("orders", ChannelState.RUNNING, "test", null);
        stage.awaitDelivery(meanwhile);
      }
      assertThat(countAtTheEnd()).isEqualTo(Shop.Count.CLEAN);
    }
  }

  @Test
  void aHeldKeyWithDelayedMessagesCostsNoLeaderItsLease() throws SQLException {
    try (Holdfast relay = stage.relay().start();
        Connection held = stage.pool.getConnection()) {
      stage.awaitAll();
      held.setAutoCommit(false);
      relay.publish(held, Message.of(stage.topic, "held", "0"));
      relay.transact(tx -> tx.publish(delayed("held", "0")));
      relay.transact(tx -> tx.publish(delayed("free", "0")));
      await()
          .atMost(Stage.SOON)
          .until(
              () ->
                  TestServers.readCommitted(stage.topic).stream()
                      .anyMatch(record -> record.key().equals("free")));
      long epoch = stage.epoch();
      // Three times as long as a lease lasts.
      await()
          .during(RelayProcess.settings().leaseDuration().multipliedBy(3))
          .atMost(Stage.SOON)
          .until(() -> stage.epoch() == epoch);
      held.rollback();
    }
  }

  private Message delayed(String key, String value) {
    return Message.to(stage.topic)
        .key(key)
        .json(value)
        .deliverAt(Instant.now().plus(Duration.ofMillis(100)))
        .build();
  }

  @Test
  void anErrorThatNobodyExpectedEndsNeitherTheRelayNorTheUpkeep() {
    AtomicInteger faults = new AtomicInteger(20);
    DataSource faulty =
        (DataSource)
            Proxy.newProxyInstance(
                OperationsTest.class.getClassLoader(),
                new Class<?>[] {DataSource.class},
                (self, method, args) -> {
                  String thread = Thread.currentThread().getName();
                  boolean ours =
                      thread.contains("upkeep")
                          || thread.contains("relay")
                          || thread.contains("listen");
                  if (ours && faults.getAndDecrement() > 0) {
                    throw new IllegalStateException("a fault in the pool");
                  }
                  try {
                    return method.invoke(stage.pool, args);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    try (Holdfast relay =
        Holdfast.on(faulty)
            .schema(stage.schema)
            .relay(RelayProcess.settings().withLongestRetry(Duration.ofMillis(100)))
            .channel("orders", TestServers.target(), stage.topic + "*")
            .start()) {
      await().atMost(Stage.SOON).until(() -> faults.get() <= 0);
      relay.transact(tx -> tx.publish(delayed("k", "0")));
      await().atMost(Stage.SOON).until(() -> TestServers.readCommitted(stage.topic).size() == 1);
    }
  }

  @Test
  void aRelayWithoutConnectionsSaysSoAndGoesOnWhenItHasThem() throws SQLException {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(stage.jdbcUrl);
    config.setMaximumPoolSize(4);
    config.setConnectionTimeout(500);
    try (HikariDataSource small = new HikariDataSource(config);
        Holdfast relay =
            Holdfast.on(small)
                .schema(stage.schema)
                .relay(RelayProcess.settings())
                .channel("orders", TestServers.target(), stage.topic + "*")
                .start()) {
      stage.awaitAll();
      order(50);
      List<Connection> taken = new ArrayList<>();
      // One of the four is held for listening.
      for (int i = 0; i < 3; i++) {
        taken.add(
            await()
                .atMost(Stage.SOON)
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(small::getConnection, connection -> true));
      }
      order(50);
      await().atMost(Stage.SOON).until(() -> relay.status().get(0).phase() == RelayPhase.BLOCKED);
      assertThat(relay.status().get(0).problem())
          .contains("no connection to the database could be had");
      for (Connection connection : taken) {
        connection.close();
      }
      assertThat(countAtTheEnd()).isEqualTo(Shop.Count.CLEAN);
    }
  }

  @Test
  void aCloseThatIsInterruptedStillEndsEveryThreadAndReleasesTheLeases() {
    Holdfast relay = stage.relay().start();
    stage.awaitAll();
    order(50);
    Thread.currentThread().interrupt();
    relay.close();
    assertThat(Thread.interrupted()).as("the interrupt is not swallowed").isTrue();
    await().atMost(Stage.SOON).until(() -> stage.leader().isEmpty());
    await()
        .atMost(Stage.SOON)
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .doesNotContain(
                        "holdfast-relay-orders",
                        "holdfast-upkeep",
                        "holdfast-listen",
                        "holdfast-read-ahead-orders"));
    try (Holdfast next = stage.relay().start()) {
      assertThat(countAtTheEnd()).isEqualTo(Shop.Count.CLEAN);
    }
  }

  @Test
  void aCloseWhileTheBrokerIsSilentEndsAndLosesNothing() {
    Holdfast relay = stage.relay().start();
    stage.awaitAll();
    TestServers.KAFKA.pause();
    try {
      order(50);
      relay.close();
      await()
          .atMost(Stage.SOON)
          .untilAsserted(
              () ->
                  assertThat(Thread.getAllStackTraces().keySet())
                      .extracting(Thread::getName)
                      .doesNotContain("holdfast-relay-orders"));
    } finally {
      TestServers.KAFKA.resume();
    }
    try (Holdfast next = stage.relay().start()) {
      assertThat(countAtTheEnd()).isEqualTo(Shop.Count.CLEAN);
    }
  }
}
