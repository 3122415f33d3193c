package dev.holdfast.rabbitmq;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.devservices.RabbitServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One PostgreSQL and one RabbitMQ for all tests of this JVM; schemas and queues are the test's own,
 * and whoever kills one of them starts it again.
 */
final class TestServers {
  static final PostgresServer POSTGRES = PostgresServer.start();

  private static final AtomicInteger NAMES = new AtomicInteger();

  private TestServers() {}

  /** Apart, for the tests that need none. */
  static final class Rabbit {
    static final RabbitServer SERVER = RabbitServer.start();

    private Rabbit() {}
  }

  /** What is done on a channel. */
  @FunctionalInterface
  interface OnChannel<T> {
    T run(Channel channel) throws IOException, TimeoutException, InterruptedException;
  }

  static String unique(String prefix) {
    return prefix + "_" + NAMES.incrementAndGet();
  }

  static ConnectionFactory client() {
    return client(Rabbit.SERVER.port());
  }

  static ConnectionFactory client(int port) {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setHost("127.0.0.1");
    factory.setPort(port);
    factory.setConnectionTimeout(3_000);
    factory.setHandshakeTimeout(3_000);
    return factory;
  }

  static <T> T onChannel(OnChannel<T> work) {
    try (Connection connection = client().newConnection();
        Channel channel = connection.createChannel()) {
      return work.run(channel);
    } catch (IOException | TimeoutException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** A durable queue, and its name. */
  static String queue(String prefix) {
    return queue(prefix, Map.of());
  }

  static String queue(String prefix, Map<String, Object> arguments) {
    String name = unique(prefix);
    return onChannel(
        channel -> channel.queueDeclare(name, true, false, false, arguments).getQueue());
  }

  /**
   * @param id goes before the body, and both are the message's id; {@code null} for none
   */
  static void put(String queue, @Nullable String id, String... bodies) {
    onChannel(
        channel -> {
          channel.confirmSelect();
          for (String body : bodies) {
            com.rabbitmq.client.AMQP.BasicProperties properties =
                new com.rabbitmq.client.AMQP.BasicProperties.Builder()
                    .messageId(id == null ? null : id + body)
                    .deliveryMode(2)
                    .build();
            channel.basicPublish("", queue, properties, body.getBytes(StandardCharsets.UTF_8));
          }
          channel.waitForConfirmsOrDie(10_000);
          return true;
        });
  }

  /** Takes all that waits in a queue, in its order. */
  static List<GetResponse> drain(String queue) {
    return onChannel(
        channel -> {
          List<GetResponse> all = new ArrayList<>();
          for (GetResponse next = channel.basicGet(queue, true);
              next != null;
              next = channel.basicGet(queue, true)) {
            all.add(next);
          }
          return all;
        });
  }

  static List<String> bodies(String queue) {
    return drain(queue).stream().map(TestServers::body).toList();
  }

  static String body(GetResponse message) {
    return new String(message.getBody(), StandardCharsets.UTF_8);
  }

  /** Messages that wait, without those that somebody has and did not acknowledge. */
  static long waiting(String queue) {
    return onChannel(channel -> channel.messageCount(queue));
  }

  static HikariDataSource pool() {
    return pool(POSTGRES.jdbcUrl());
  }

  static HikariDataSource pool(String url) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(8);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(2_000);
    return new HikariDataSource(config);
  }

  static void execute(String sql) {
    try (java.sql.Connection connection = DriverManager.getConnection(POSTGRES.jdbcUrl());
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  /** A table of ids that may come twice, and its name. */
  static String table(String prefix) {
    String name = unique(prefix);
    execute("create table " + name + " (id text not null)");
    return name;
  }

  static List<String> ids(String table) {
    try (java.sql.Connection connection = DriverManager.getConnection(POSTGRES.jdbcUrl());
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select id from " + table + " order by id")) {
      List<String> ids = new ArrayList<>();
      while (rows.next()) {
        ids.add(rows.getString(1));
      }
      return ids;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
