package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.RelayPhase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Servers that die or fall silent while customers order. */
final class OutageTest {
  private static final int TIMES = 2;

  private final Stage stage = new Stage("outage");
  private final Traffic traffic = new Traffic(stage.shop, 7);

  @AfterEach
  void end() {
    traffic.close();
    stage.close();
  }

  private void order(int enough) {
    int before = traffic.attempted();
    traffic.permit(enough + 200);
    await().atMost(Stage.SOON).until(() -> traffic.attempted() - before >= enough);
  }

  private Shop.Count countAtTheEnd() {
    traffic.close();
    stage.awaitAll();
    assertThat(traffic.attempted() - traffic.failed()).isGreaterThan(100);
    return stage.count();
  }

  @Test
  @Attacks("outbox.recovery.outage")
  void aBrokerThatIsKilledLosesNothingAndParksNothing() {
    aBrokerIsKilled(TestServers.target(), false);
  }

  @Tag("long")
  @Test
  @Attacks("outbox.recovery.outage")
  void aBrokerThatIsKilledLosesNothingAndParksNothingWithoutTransactions() {
    aBrokerIsKilled(TestServers.target().plain(), true);
  }

  private void aBrokerIsKilled(KafkaTarget target, boolean plain) {
    try (Holdfast relay =
        Holdfast.on(stage.pool)
            .schema(stage.schema)
            .relay(RelayProcess.settings())
            .channel("orders", target, stage.topic + "*")
            .start()) {
      stage.awaitAll();
      for (int kill = 1; kill <= TIMES; kill++) {
        order(50 * kill);
        TestServers.KAFKA.kill();
        order(50);
        TestServers.KAFKA.restart();
        stage.awaitAll();
      }
      Shop.Count count = countAtTheEnd();
      assertThat(plain ? new Shop.Count(count.lost(), count.phantom(), 0, 0) : count)
          .isEqualTo(Shop.Count.CLEAN);
      assertThat(stage.store.parking().anyParked("orders")).isFalse();
    }
  }

  @Test
  @Attacks("outbox.recovery.outage")
  void aBackendThatIsKilledTakesAllConnectionsWithItAndLosesNothing() throws SQLException {
    Random random = new Random(11);
    try (Holdfast relay = stage.relay().start()) {
      stage.awaitAll();
      for (int kill = 1; kill <= TIMES; kill++) {
        order(50);
        List<Integer> backends = backends();
        TestServers.POSTGRES.killBackend(backends.get(random.nextInt(backends.size())));
        stage.awaitAll();
      }
      assertThat(countAtTheEnd()).isEqualTo(Shop.Count.CLEAN);
    }
  }

  /** The server processes of the connections that customers and relay have. */
  private List<Integer> backends() throws SQLException {
    List<Integer> pids = new ArrayList<>();
    try (Connection connection = stage.pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select pid from pg_stat_activity where backend_type = 'client backend'"
                    + " and pid <> pg_backend_pid()")) {
      while (rows.next()) {
        pids.add(rows.getInt(1));
      }
    }
    return pids;
  }

  @Tag("long") // Kafka's client takes its time to give a silent broker up.
  @Test
  @Attacks("outbox.recovery.outage")
  void aBrokerThatFallsSilentBlocksTheChannelInWordsAndIsForgiven() {
    try (Holdfast relay = stage.relay().start()) {
      stage.awaitAll();
      order(50);
      TestServers.KAFKA.pause();
      try {
        order(50);
        await().atMost(Stage.SOON).until(() -> relay.status().get(0).phase() == RelayPhase.BLOCKED);
        assertThat(relay.status().get(0).problem()).contains("Kafka");
      } finally {
        TestServers.KAFKA.resume();
      }
      assertThat(countAtTheEnd()).isEqualTo(Shop.Count.CLEAN);
      assertThat(stage.store.parking().anyParked("orders")).isFalse();
    }
  }
}
