package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.kafka.Sabotage.Without;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The database and the relays are killed (SIGKILL), in a random order, while customers order.
 *
 * <p>Before each kill of the database nothing is forced to its disk but by the relay, and
 * transactions draw ids and roll back; the kill comes when the relay has just delivered an order
 * that nobody else has made durable. The truth is the table after the crash: an order that it has
 * taken back must not have been announced, and what has since been given its transaction's id must
 * not be overlooked.
 *
 * <p>Another schedule: {@code ./mvnw test -pl kafka -am -Dtest=DatabaseCrashTest -Dseed=N}.
 */
final class DatabaseCrashTest {
  private static final int ROLLED_BACK = 60;

  // Nothing reaches the disk by chance.
  private final PostgresServer server =
      PostgresServer.builder()
          .setting("wal_writer_delay", "10s")
          .setting("wal_writer_flush_after", "1GB")
          .setting("autovacuum", "off")
          .start();
  private final Stage stage = new Stage("dbcrash", server);
  private final Shop shop = stage.shop;

  private enum Victim {
    DATABASE,
    RELAY
  }

  @AfterEach
  void end() {
    stage.close();
    server.close();
  }

  @Test
  @Attacks({
    "outbox.delivery.none-lost",
    "outbox.delivery.none-invented",
    "outbox.delivery.once",
    "outbox.order",
    "outbox.visibility"
  })
  void killsOfDatabaseAndRelayLoseInventRepeatAndReorderNothing() {
    attack(2, 2, Long.getLong("seed", 1));
  }

  @Test
  @Tag("long")
  @Attacks({
    "outbox.delivery.none-lost",
    "outbox.delivery.none-invented",
    "outbox.delivery.once",
    "outbox.order",
    "outbox.visibility"
  })
  void manyKillsOfDatabaseAndRelayLoseInventRepeatAndReorderNothing() {
    attack(20, 20, Long.getLong("seed", 2));
  }

  @Tag("long")
  @Test
  void withoutTheFlushFenceTheSameKillInventsMessages() {
    Sabotage sabotage = Sabotage.NONE.without(Without.FLUSH_FENCE);
    try (RelayFleet fleet = stage.relays(sabotage, 2);
        Traffic traffic = new Traffic(shop, 3)) {
      boolean takenBack = false;
      // Once in ten seconds the server's own writer saves the order after all.
      for (int kill = 1; !takenBack && kill <= 3; kill++) {
        awaitDelivery(fleet, stage.order(), "before kill " + kill);
        takenBack = !shop.has(killDatabase(traffic, fleet));
      }
      traffic.close();
      assertThat(stage.count().phantom()).as("announced and taken back").isPositive();
    }
  }

  private void attack(int databaseKills, int relayKills, long seed) {
    Random random = new Random(seed);
    List<Victim> victims = new ArrayList<>(Collections.nCopies(databaseKills, Victim.DATABASE));
    victims.addAll(Collections.nCopies(relayKills, Victim.RELAY));
    Collections.shuffle(victims, random);
    try (RelayFleet fleet = stage.relays(Sabotage.NONE, 2);
        Traffic traffic = new Traffic(shop, seed)) {
      awaitDelivery(fleet, stage.order(), "before the first kill");
      for (int i = 0; i < victims.size(); i++) {
        String round = "kill " + (i + 1) + " of " + victims + ", seed " + seed;
        traffic.permit(200);
        switch (victims.get(i)) {
          case DATABASE -> killDatabase(traffic, fleet);
          case RELAY -> killRelay(traffic, fleet, random.nextInt(150), round);
        }
        awaitDelivery(fleet, stage.order(), round);
      }
      traffic.close();
      // Whatever was committed before it is delivered before it.
      awaitDelivery(fleet, stage.order(), "after the last kill, seed " + seed);
      assertThat(stage.count()).as("seed %d", seed).isEqualTo(Shop.Count.CLEAN);
      assertThat(traffic.attempted() - traffic.failed()).isGreaterThan(100 * victims.size());
    }
  }

  /**
   * @return the number of an order that was delivered just before
   */
  private int killDatabase(Traffic traffic, RelayFleet fleet) {
    traffic.onlyFleeting();
    traffic.permit(300);
    int fleeting;
    try {
      rollBack();
      fleeting = shop.fleetingOrder("fleeting", false);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    awaitDelivery(fleet, fleeting, "before a kill of the database");
    server.killServer();
    traffic.ofAllKinds();
    server.restart();
    stage.pool.getHikariPoolMXBean().softEvictConnections();
    return fleeting;
  }

  private void rollBack() throws SQLException {
    try (Connection connection = stage.pool.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < ROLLED_BACK; i++) {
        statement.execute("select pg_current_xact_id()");
        connection.rollback();
      }
      connection.setAutoCommit(true);
    }
  }

  private void killRelay(Traffic traffic, RelayFleet fleet, int after, String round) {
    int enough = traffic.attempted() + after;
    awaiting(fleet, round, () -> traffic.attempted() >= enough);
    awaiting(fleet, round, () -> fleet.kill(stage.leader()));
  }

  private void awaitDelivery(RelayFleet fleet, int order, String round) {
    awaiting(fleet, round, () -> shop.delivered(order));
  }

  private static void awaiting(RelayFleet fleet, String round, Callable<Boolean> condition) {
    try {
      await()
          .atMost(Stage.SOON)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(2))
          .until(
              () -> {
                fleet.supervise();
                return condition.call();
              });
    } catch (ConditionTimeoutException e) {
      throw new AssertionError("Stuck: " + round + fleet.describe(), e);
    }
  }
}
