package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.kafka.Sabotage.Without;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What happens to databases and brokers in bad nights, under load: failover to a standby that
 * misses the last commits, a restored backup, a clone, a broker's lost disk. Orders that the
 * database itself has lost are gone, and may have announced themselves; every order that is there
 * must be announced, in its customer's order, and nothing that is unclear goes on by itself.
 */
final class DrillTest {
  private final PostgresServer original = PostgresServer.start();
  private final Random random = new Random(17);

  @TempDir private Path directory;

  @AfterEach
  void end() {
    original.close();
  }

  private void order(Stage stage, int count) {
    for (int i = 0; i < count; i++) {
      stage.order("c" + random.nextInt(7));
    }
  }

  private static RelayPhase phase(Holdfast relay) {
    return relay.status().get(0).phase();
  }

  private static String awaitStopped(Holdfast relay) {
    await().atMost(Stage.SOON).until(() -> phase(relay) == RelayPhase.STOPPED);
    return String.valueOf(relay.status().get(0).problem());
  }

  /** Repeats are what the manual promises after these; so they are not counted. */
  private static void assertNothingLostOrReordered(Shop.Count count, int phantoms) {
    assertThat(count).isEqualTo(new Shop.Count(0, phantoms, count.duplicate(), 0));
  }

  @Test
  @Attacks("outbox.recovery.copies")
  void afterAFailoverWithLossTheChannelGoesOnFromTheNewPrimarysCopy() {
    PostgresServer standby = PostgresServer.builder().standbyOf(original).start();
    String url =
        "jdbc:postgresql://127.0.0.1:%d,127.0.0.1:%d/postgres?user=postgres&targetServerType=primary&loginTimeout=5"
            .formatted(original.port(), standby.port());
    try (standby;
        Stage stage = new Stage("failover", url, TestServers.KAFKA);
        Holdfast relay = stage.relay().start()) {
      order(stage, 100);
      stage.awaitAll();
      standby.detach();
      // Delivered, and then lost by the database.
      order(stage, 60);
      stage.awaitAll();
      original.killServer();
      standby.promote();
      order(stage, 100);
      stage.awaitAll();
      assertNothingLostOrReordered(stage.count(), 61);
      assertThat(phase(relay)).isEqualTo(RelayPhase.LEADING);
    }
  }

  /** What is done with a relay on the restored database. */
  @FunctionalInterface
  private interface Aftermath {
    void happens(Stage stage, Holdfast relay);
  }

  /**
   * A backup is restored that misses the last orders. It has taken as many new ones before its
   * relay starts, so that the ids of its transactions do not give it away.
   */
  private void restore(Without without, Aftermath aftermath) {
    Path backup = directory.resolve("backup");
    try (Stage stage = new Stage("restored", original)) {
      try (Holdfast relay = relay(stage, without)) {
        order(stage, 50);
        stage.awaitAll();
        original.backup(backup);
        order(stage, 50);
        stage.awaitAll();
        awaitCopied(stage);
      }
      original.stop();
      try (PostgresServer restored =
          PostgresServer.builder().dataDirectory(backup).port(original.port()).start()) {
        assertThat(restored.port()).isEqualTo(original.port());
        order(stage, 200);
        try (Holdfast relay = relay(stage, without)) {
          aftermath.happens(stage, relay);
        }
      }
    }
  }

  private static Holdfast relay(Stage stage, Without without) {
    Sabotage sabotage = Sabotage.NONE.without(without);
    return Holdfast.on(stage.pool)
        .schema(stage.schema)
        .relay(RelayProcess.settings())
        .channel(
            "orders",
            sabotage.target(stage.target(), new Sabotage.Trap(sabotage)),
            stage.topic + "*")
        .start();
  }

  @Test
  @Attacks("outbox.recovery.copies")
  void aRestoredBackupIsStoppedAndLosesNothingOnceAnEraHasBegun() {
    restore(
        Without.NOTHING,
        (stage, relay) -> {
          assertThat(awaitStopped(relay))
              .contains("Nothing was delivered", "holdfast outbox reanchor");
          stage.store.channels().reanchor("orders", false, "test");
          stage.awaitAll();
          // The sentinels are orders, too.
          assertNothingLostOrReordered(stage.count(), 51);
        });
  }

  @Tag("long")
  @Test
  void withoutTheCountOfCopiesARestoredBackupLosesOrdersSilently() {
    restore(
        Without.COUNT_OF_COPIES,
        (stage, relay) -> {
          stage.awaitAll();
          assertThat(stage.count().lost()).isPositive();
        });
  }

  /** The database's copy is as far as the target. */
  private static void awaitCopied(Stage stage) {
    await()
        .atMost(Stage.SOON)
        .until(() -> stage.store.channels().status("orders").lagMessages() == 0);
  }

  @Tag("long")
  @Test
  @Attacks("outbox.recovery.copies")
  void aCloneBesideTheOriginalIsStoppedAndDisturbsNobody() {
    Path backup = directory.resolve("clone");
    try (Stage stage = new Stage("cloned", original);
        Holdfast relay = stage.relay().relay(oftenTelling()).start()) {
      order(stage, 50);
      stage.awaitAll();
      original.backup(backup);
      // No order since: that the original goes on at all is what gives the clone away.
      long copies = stage.store.channels().progress("orders").copies();
      await().atMost(Stage.SOON).until(() -> toldCopies(stage) > copies);
      long epoch = stage.epoch();
      try (PostgresServer clone = PostgresServer.builder().dataDirectory(backup).start();
          var pool = TestServers.pool(clone.jdbcUrl());
          Holdfast staging =
              Holdfast.on(pool)
                  .schema(stage.schema)
                  .relay(RelayProcess.settings())
                  .channel("orders", TestServers.target(), stage.topic + "*")
                  .start()) {
        assertThat(awaitStopped(staging)).contains("clone", "Nothing was delivered");
        order(stage, 50);
        stage.awaitAll();
        assertThat(stage.epoch()).as("undisturbed").isEqualTo(epoch);
      }
      assertThat(stage.count()).isEqualTo(Shop.Count.CLEAN);
    }
  }

  /** What the target knows of the copies of the progress. */
  private static long toldCopies(Stage stage) {
    Target.Context context =
        new Target.Context("orders", stage.store.log().identity("orders").storeId() + "-orders");
    try (TargetSession session = stage.target().open(context)) {
      String record = session.peekProgress().orElseThrow();
      return Long.parseLong(record.replaceAll(".* copies=(\\d+) .*", "$1"));
    }
  }

  /** Tells the target the progress every three seconds, even if there is nothing to deliver. */
  private static RelaySettings oftenTelling() {
    return RelayProcess.settings().withProgressInterval(Duration.ofMillis(50));
  }

  @Tag("long")
  @Test
  @Attacks("outbox.durability")
  void aBrokerThatLostItsDiskGetsAgainWhatTheOutboxStillHolds() {
    try (KafkaServer broker = KafkaServer.start();
        Stage stage = new Stage("disk", original.jdbcUrl(), broker)) {
      try (Holdfast relay = stage.relay().start()) {
        order(stage, 100);
        stage.awaitAll();
        awaitCopied(stage);
        broker.loseDisk();
        broker.createTopic(stage.topic, 2);
        stage.shop.readAnew();
        order(stage, 50);
        stage.awaitAll();
        assertThat(stage.count().lost()).as("what the broker has lost").isBetween(1, 101);
        stage.store.channels().reanchor("orders", true, "test");
        await().atMost(Stage.SOON).until(() -> stage.count().lost() == 0);
        assertThat(stage.count().phantom()).isZero();
        assertThat(phase(relay)).isEqualTo(RelayPhase.LEADING);
      }
    }
  }
}
