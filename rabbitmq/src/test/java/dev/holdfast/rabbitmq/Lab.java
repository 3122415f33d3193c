package dev.holdfast.rabbitmq;

import static dev.holdfast.crashtest.Expect.row;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Transaction;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.inbox.InboxSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.awaitility.Awaitility;

/**
 * A process that listens to a queue and is crashed; in a JVM of its own, when that is asked for.
 * The lab knows no RabbitMQ; it cuts its network with the crash, so that after the database's
 * commit no acknowledgment is sent.
 */
abstract class Lab implements Consumer<CrashLab> {
  /** What was ordered, so that a shipment which never comes is missed. */
  static final String ORDERS = "lab_order";

  static final String TABLE = "lab_shipment";
  static final String SCHEMA = "lab";

  /** Makes what all runs share. */
  static void prepare() {
    TestServers.execute("create table if not exists " + ORDERS + " (id text not null)");
    TestServers.execute("create table if not exists " + TABLE + " (id text not null)");
    try (HikariDataSource pool = TestServers.pool();
        Holdfast holdfast = Holdfast.on(pool).schema(SCHEMA).start()) {
      holdfast.inbox("shipping", InboxSettings.DEFAULT);
    }
  }

  /** With the inbox, which commits before it acknowledges. */
  static final class Listening extends Lab {
    @Override
    AutoCloseable listen(Life life) {
      return RabbitMqInbox.start(
          life.rabbit(),
          life.queue(),
          life.holdfast().inbox("shipping", InboxSettings.DEFAULT),
          RabbitMqInboxSettings.rejecting().withClosingWait(Duration.ofMillis(500)),
          Lab::ship);
    }
  }

  /** As it is often done, and lost: the message is acknowledged, and then handled. */
  static final class AcknowledgingFirst extends Lab {
    @Override
    AutoCloseable listen(Life life) throws IOException, TimeoutException {
      return by(
          life,
          (channel, message) -> {
            channel.basicAck(message.getEnvelope().getDeliveryTag(), false);
            // It has to be there before the crash, for the lab cannot wait for it.
            channel.messageCount(life.queue());
            life.holdfast().transact(tx -> ship(tx, message));
          });
    }
  }

  /** As it is often done, and repeated: handled and then acknowledged, and nobody remembers ids. */
  static final class WithoutAnInbox extends Lab {
    @Override
    AutoCloseable listen(Life life) throws IOException, TimeoutException {
      return by(
          life,
          (channel, message) -> {
            life.holdfast().transact(tx -> ship(tx, message));
            channel.basicAck(message.getEnvelope().getDeliveryTag(), false);
          });
    }
  }

  /** What runs, with its clients. */
  record Life(Holdfast holdfast, ConnectionFactory rabbit, String queue, AutoCloseable[] listener)
      implements AutoCloseable {
    @Override
    public void close() throws Exception {
      listener[0].close();
    }
  }

  abstract AutoCloseable listen(Life life) throws IOException, TimeoutException;

  @Override
  public void accept(CrashLab lab) {
    String url = lab.share("url", TestServers.POSTGRES::jdbcUrl);
    String port = lab.share("port", () -> Integer.toString(TestServers.Rabbit.SERVER.port()));
    String queue = lab.share("queue", () -> TestServers.queue("lab"));
    lab.application(resources -> start(resources, url, Integer.parseInt(port), queue))
        .given(
            key -> {
              order(url, key);
              TestServers.put(queue, "", key);
            })
        .operation(
            (life, key) ->
                Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> isShipped(url, key)))
        .ignoring("holdfast-upkeep")
        .ignoring(SCHEMA + ".inbox_consumer")
        .quiesce(Duration.ofSeconds(4))
        .expect(row(ORDERS).byKey("id").once(), row(TABLE).byKey("id").once());
  }

  Life start(Resources resources, String url, int port, String queue) throws Exception {
    HikariConfig config = new HikariConfig();
    config.setDataSource(resources.dataSource("database", url));
    config.setMaximumPoolSize(6);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(2_000);
    HikariDataSource pool = new HikariDataSource(config);
    resources.onStop(pool);
    Holdfast holdfast = Holdfast.on(pool).schema(SCHEMA).schemaManagedElsewhere().start();
    resources.onStop(holdfast);
    String address = resources.address("rabbitmq", "127.0.0.1", port);
    ConnectionFactory rabbit =
        TestServers.client(Integer.parseInt(address.substring(address.indexOf(':') + 1)));
    AutoCloseable[] listener = new AutoCloseable[1];
    Life life = new Life(holdfast, rabbit, queue, listener);
    listener[0] = listen(life);
    return life;
  }

  private static void ship(Transaction tx, Delivery message) throws SQLException {
    tx.update(
        "insert into " + TABLE + " values (?)",
        new String(message.getBody(), StandardCharsets.UTF_8));
  }

  static void order(String url, String key) throws SQLException {
    try (java.sql.Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute("insert into " + ORDERS + " values ('" + key + "')");
    }
  }

  static boolean isShipped(String url, String key) throws SQLException {
    try (java.sql.Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("select 1 from " + TABLE + " where id = '" + key + "'")) {
      return row.next();
    }
  }

  /** What a listener does with one message. */
  @FunctionalInterface
  private interface Taking {
    void take(Channel channel, Delivery message) throws IOException;
  }

  /** A listener as people write them. */
  private static AutoCloseable by(Life life, Taking taking) throws IOException, TimeoutException {
    ConnectionFactory factory = life.rabbit().clone();
    factory.setAutomaticRecoveryEnabled(false);
    Connection connection = factory.newConnection();
    Channel channel = connection.createChannel();
    channel.basicConsume(
        life.queue(), false, (tag, message) -> taking.take(channel, message), tag -> {});
    return () -> connection.abort(1_000);
  }
}
