package dev.holdfast.kafka;

import static dev.holdfast.crashtest.Expect.record;
import static dev.holdfast.crashtest.Expect.row;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Drill;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.Scenario;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelaySettings;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/**
 * The outbox in the crash lab, with a drill in the place of each crash's downtime: every order that
 * the database still has is announced, and what is unclear waits for an operator.
 */
@Tag("long")
final class OutboxDrillTest {
  private static final String TOPIC = "orders";
  private static final Duration SETTLING = Duration.ofSeconds(30);
  private static final AtomicInteger BACKUPS = new AtomicInteger();

  @TempDir private static Path directory;

  /** The one with the application's data now. */
  private static PostgresServer database;

  private static KafkaServer server;
  private static KafkaBroker broker;

  @BeforeAll
  static void begin() throws SQLException {
    database = PostgresServer.start();
    server = KafkaServer.builder().relayed().start();
    server.createTopic(TOPIC, 1);
    broker = KafkaBroker.of(server);
    try (Connection connection = DriverManager.getConnection(database.jdbcUrl());
        Statement statement = connection.createStatement()) {
      statement.execute("create table orders (id text primary key)");
    }
  }

  @AfterAll
  static void end() {
    database.close();
    server.close();
  }

  /** A shop that places orders with an outbox. */
  private static final class Orders implements AutoCloseable {
    private final HikariDataSource pool;
    private final Holdfast holdfast;

    Orders(Resources resources) {
      pool = new HikariDataSource();
      pool.setDataSource(resources.dataSource("shop", database.jdbcUrl()));
      pool.setMaximumPoolSize(6);
      pool.setMinimumIdle(0);
      pool.setConnectionTimeout(5_000);
      Map<String, Object> config =
          Map.of("bootstrap.servers", resources.bootstrapServers("kafka", broker));
      holdfast =
          Holdfast.on(pool)
              .relay(RelaySettings.DEFAULT.withLeaseDuration(Duration.ofSeconds(1)))
              .channel("orders", resources.target("kafka", broker, Kafka.to(config)), TOPIC)
              .start();
      awaitSettled();
    }

    /** Leading, or stopped until somebody says how to go on. */
    private void awaitSettled() {
      await().atMost(Duration.ofSeconds(25)).until(() -> isSettled(holdfast));
    }

    static boolean isSettled(Holdfast holdfast) {
      RelayPhase phase = holdfast.status().get(0).phase();
      return phase == RelayPhase.LEADING || phase == RelayPhase.STOPPED;
    }

    private RelayPhase phase() {
      return holdfast.status().get(0).phase();
    }

    void place(String key) {
      holdfast.transact(
          tx -> {
            tx.update("insert into orders (id) values (?) on conflict (id) do nothing", key);
            tx.publish(Message.of(TOPIC, key, "{}"));
          });
    }

    /** What an operator does about a channel that has stopped. */
    void startEra(boolean fromBeginning) {
      awaitSettled();
      if (fromBeginning || phase() == RelayPhase.STOPPED) {
        holdfast.store().channels().reanchor("orders", fromBeginning, "test");
      }
      await().atMost(Duration.ofSeconds(25)).until(() -> phase() == RelayPhase.LEADING);
    }

    boolean isDelivered() {
      return holdfast.store().channels().status("orders").lagMessages() == 0;
    }

    @Override
    public void close() {
      holdfast.close();
      pool.close();
    }
  }

  private static Scenario<Orders> scenario(CrashLab lab) {
    return lab.application(Orders::new)
        .operation(Orders::place)
        .quiesce(SETTLING, Orders::isDelivered)
        .ignoring("holdfast.now()")
        .ignoring("holdfast-upkeep")
        .ignoring("pg_logical_emit_message")
        .ignoring("pg_notify")
        .expect(row("orders").byKey().once(), record(TOPIC).byKey().once());
  }

  private static Path nextBackup() {
    return directory.resolve("backup-" + BACKUPS.incrementAndGet());
  }

  @CrashTest(carriers = Carrier.DRILL)
  @Attacks("outbox.recovery.copies")
  void failoverToAStandbyThatMissesTheOperation(CrashLab lab) {
    PostgresServer[] standby = new PostgresServer[1];
    scenario(lab)
        .drill(
            Drill.of(
                    "failover to a standby that misses the last commits",
                    () -> {
                      database.killServer();
                      database.close();
                      database = standby[0];
                      database.promote();
                    })
                .preparedBy(
                    () -> {
                      standby[0] = PostgresServer.builder().standbyOf(database).start();
                      standby[0].detach();
                    })
                .losing()
                .repeating());
  }

  @CrashTest(carriers = Carrier.DRILL)
  @Attacks("outbox.recovery.copies")
  void backupFromBeforeTheOperation(CrashLab lab) {
    Path backup = nextBackup();
    scenario(lab)
        .drill(
            Drill.of(
                    "a backup is restored that misses the last commits",
                    () -> {
                      database.close();
                      database = PostgresServer.builder().dataDirectory(backup).start();
                    })
                .preparedBy(() -> database.backup(backup))
                .losing()
                .repeating())
        .recover(orders -> orders.startEra(false));
  }

  @CrashTest(carriers = Carrier.DRILL)
  @Attacks("outbox.recovery.copies")
  void cloneBesideTheOriginal(CrashLab lab) {
    Path backup = nextBackup();
    scenario(lab)
        .drill(
            Drill.of("a clone is started while the original is down", () -> runClone(backup))
                .preparedBy(() -> database.backup(backup))
                .repeating())
        .recover(orders -> orders.startEra(false));
  }

  /**
   * A staging copy of the application, pointed at production's Kafka by mistake. If the original
   * had done nothing since the backup, it may lead, and the original asks when it is up again.
   */
  private static void runClone(Path backup) {
    try (PostgresServer clone = PostgresServer.builder().dataDirectory(backup).start();
        HikariDataSource pool = TestServers.pool(clone.jdbcUrl());
        Holdfast staging =
            Holdfast.on(pool)
                .channel(
                    "orders",
                    Kafka.to(Map.of("bootstrap.servers", server.bootstrapServers())),
                    TOPIC)
                .start()) {
      await().atMost(Duration.ofSeconds(25)).until(() -> Orders.isSettled(staging));
    }
  }

  @CrashTest(carriers = Carrier.DRILL)
  @Attacks("outbox.durability")
  void brokerThatLosesItsDisk(CrashLab lab) {
    scenario(lab)
        .drill(
            Drill.of(
                    "the broker loses its disk",
                    () -> {
                      server.loseDisk();
                      server.createTopic(TOPIC, 1);
                    })
                .repeating())
        .recover(orders -> orders.startEra(true));
  }
}
