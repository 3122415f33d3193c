package dev.holdfast.examples.orders;

import static dev.holdfast.crashtest.Expect.record;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.Stepper;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Drill;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ConsoleReport;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.kafka.Kafka;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The code on the manual's page on the crash lab. */
final class CrashLabSnippetsTest {
  private static final String JDBC_URL = ShopServers.POSTGRES.jdbcUrl();
  private static final KafkaBroker BROKER = KafkaBroker.of(ShopServers.KAFKA);

  @TempDir private static Path directory;

  /** The one that is drilled. */
  @SuppressWarnings("NullAway.Init")
  private static PostgresServer server;

  @BeforeAll
  static void resources() throws SQLException {
    createTables(JDBC_URL);
    server = PostgresServer.start();
    createTables(server.jdbcUrl());
    ShopServers.KAFKA.createTopic("payments", 1);
  }

  private static void createTables(String url) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute("create table payment (id text primary key)");
      statement.execute("create table receipt (id text primary key)");
    }
  }

  @AfterAll
  static void close() {
    server.close();
  }

  /** The application: a payment and its receipt, and a message if there is a producer. */
  private record Payments(DataSource database, Producer<String, String> producer) {
    void accept(String id) throws SQLException {
      try (Connection connection = database.getConnection()) {
        connection.setAutoCommit(false);
        insertOnce(connection, "payment", id);
        insertOnce(connection, "receipt", id);
        connection.commit();
      }
    }

    void announce(String id) throws Exception {
      accept(id);
      producer.send(new ProducerRecord<>("payments", id, "accepted")).get();
    }

    private static void insertOnce(Connection connection, String table, String id)
        throws SQLException {
      try (PreparedStatement insert =
          connection.prepareStatement(
              "insert into " + table + " (id) values (?) on conflict do nothing")) {
        insert.setString(1, id);
        insert.executeUpdate();
      }
    }
  }

  // snippet:lab-test
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  void aPaymentHasItsReceipt(CrashLab lab) {
    lab.application(
            resources ->
                new Payments(
                    resources.dataSource("shop", JDBC_URL),
                    resources.producer("kafka", BROKER, Map.of())))
        .operation(Payments::accept) // called with a key of its own in every run
        .retrySameKey(2) // what the caller does that does not know
        .expect(row("payment").byKey().once(), row("receipt").byKey().once());
  }

  // end

  // snippet:lab-drill
  @CrashTest(carriers = Carrier.DRILL)
  void aRestoredBackupHasPaymentsWithTheirReceipts(CrashLab lab) {
    Path backup = directory.resolve(UUID.randomUUID().toString());
    lab.application(
            resources ->
                new Payments(
                    resources.dataSource("shop", server.jdbcUrl()),
                    resources.producer("kafka", BROKER, Map.of())))
        .operation(Payments::accept)
        .drill(
            Drill.of(
                    "a backup from before the payment is restored",
                    () -> {
                      server.close();
                      server = PostgresServer.builder().dataDirectory(backup).start();
                    })
                .preparedBy(() -> server.backup(backup))
                .losing()) // payments may be gone, but not a receipt alone
        .expect(row("payment").byKey().once(), row("receipt").byKey().once());
  }

  // end

  // snippet:lab-forked
  /** Another JVM makes one of its own, without arguments, and is told what was shared. */
  static final class AnnouncedPayments implements Consumer<CrashLab> {
    @Override
    public void accept(CrashLab lab) {
      String url = lab.share("url", () -> JDBC_URL);
      KafkaBroker broker = lab.shareBroker("broker", () -> BROKER);
      lab.application(
              resources ->
                  new Payments(
                      resources.dataSource("shop", url),
                      resources.producer("kafka", broker, Map.of())))
          .operation(Payments::announce)
          .expect(row("payment").byKey().once(), record("payments").byKey().once());
    }
  }

  // end

  @Tag("long")
  @Test
  void aDualWriteIsFoundWithoutATestFramework() {
    // snippet:lab-explore
    ExplorationReport report =
        CrashLab.explore(
            "announce a payment",
            CrashLab.Options.defaults().withCarriers(Carrier.FORKED),
            new AnnouncedPayments());
    System.out.print(ConsoleReport.render(report));
    // end
    assertThat(report.passed()).isFalse();
    assertThat(report.runs()).allMatch(run -> run.problem() == null);
  }

  @Test
  void whatIsDueTomorrowIsDeliveredWithinATest() {
    try (HikariDataSource dataSource = new HikariDataSource()) {
      dataSource.setJdbcUrl(JDBC_URL);
      Map<String, Object> producerConfig =
          Map.of("bootstrap.servers", ShopServers.KAFKA.bootstrapServers());
      Instant tomorrow = Instant.now().plus(Duration.ofDays(1));
      Message reminder = Message.to("payments").key("p1").json("{}").deliverAt(tomorrow).build();
      // snippet:lab-steps
      try (Stepper background =
              Holdfast.on(dataSource)
                  .schema("holdfast_test")
                  .channel("payments", Kafka.to(producerConfig), "payments")
                  .manual();
          StoreClock clock = StoreClock.of(dataSource, "holdfast_test")) {
        Holdfast holdfast = background.holdfast(); // for the application
        holdfast.transact(tx -> tx.publish(reminder));
        background.runUntilIdle(); // on this thread; what is due tomorrow stays
        clock.advance(Duration.ofDays(1));
        background.runUntilIdle(); // now it is delivered
        assertThat(holdfast.status().get(0).delivered()).isOne();
      }
      // end
    }
  }
}
