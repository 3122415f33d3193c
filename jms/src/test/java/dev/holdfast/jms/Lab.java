package dev.holdfast.jms;

import static dev.holdfast.crashtest.Expect.row;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Transaction;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import jakarta.jms.Connection;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.Consumer;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.awaitility.Awaitility;

/**
 * A process that listens to a queue and is crashed; in a JVM of its own, when that is asked for.
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
    AutoCloseable listen(Life process) {
      Inbox inbox = process.holdfast().inbox("shipping", InboxSettings.DEFAULT);
      return JmsInbox.start(
          process.jms(),
          JmsDestination.queue(process.queue()),
          inbox,
          JmsInboxSettings.DEFAULT.withClosingWait(Duration.ofMillis(500)),
          Lab::ship);
    }
  }

  /** As it is often done, and lost: the message is acknowledged, and then handled. */
  static final class AcknowledgingFirst extends Lab {
    @Override
    AutoCloseable listen(Life process) {
      return by(
          process,
          (session, message) -> {
            session.commit();
            process.holdfast().transact(tx -> ship(tx, message));
          });
    }
  }

  /** As it is often done, and repeated: handled and then acknowledged, and nobody remembers ids. */
  static final class WithoutAnInbox extends Lab {
    @Override
    AutoCloseable listen(Life process) {
      return by(
          process,
          (session, message) -> {
            process.holdfast().transact(tx -> ship(tx, message));
            session.commit();
          });
    }
  }

  /** What runs, with its clients. */
  record Life(Holdfast holdfast, ConnectionFactory jms, String queue, AutoCloseable[] listener)
      implements AutoCloseable {
    @Override
    public void close() throws Exception {
      listener[0].close();
    }
  }

  abstract AutoCloseable listen(Life process);

  @Override
  public void accept(CrashLab lab) {
    String url = lab.share("url", TestServers.POSTGRES::jdbcUrl);
    String port = lab.share("port", () -> Integer.toString(TestServers.ARTEMIS.port()));
    String queue = lab.share("queue", () -> TestServers.unique("lab"));
    lab.application(resources -> start(resources, url, Integer.parseInt(port), queue))
        .given(
            key -> {
              order(url, key);
              put(Integer.parseInt(port), queue, key);
            })
        .operation(
            (process, key) ->
                Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> isShipped(url, key)))
        .ignoring("holdfast-upkeep")
        .ignoring(SCHEMA + ".inbox_consumer")
        .quiesce(Duration.ofSeconds(3))
        .expect(row(ORDERS).byKey("id").once(), row(TABLE).byKey("id").once());
  }

  Life start(Resources resources, String url, int port, String queue) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(resources.dataSource("database", url));
    config.setMaximumPoolSize(6);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(2_000);
    HikariDataSource pool = new HikariDataSource(config);
    resources.onStop(pool);
    Holdfast holdfast = Holdfast.on(pool).schema(SCHEMA).schemaManagedElsewhere().start();
    resources.onStop(holdfast);
    String address = resources.address("jms", "127.0.0.1", port);
    ConnectionFactory jms =
        resources.connectionFactory(
            "jms", new ActiveMQConnectionFactory("tcp://" + address + "?callTimeout=2000"));
    AutoCloseable[] listener = new AutoCloseable[1];
    Life process = new Life(holdfast, jms, queue, listener);
    listener[0] = listen(process);
    return process;
  }

  private static void ship(Transaction tx, Message message) throws SQLException {
    try {
      tx.update("insert into " + TABLE + " values (?)", message.getJMSCorrelationID());
    } catch (JMSException e) {
      throw new IllegalStateException(e);
    }
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

  private static void put(int port, String queue, String key) {
    try (ActiveMQConnectionFactory direct =
            new ActiveMQConnectionFactory("tcp://127.0.0.1:" + port);
        JMSContext context = direct.createContext()) {
      context.createProducer().setJMSCorrelationID(key).send(context.createQueue(queue), "ship");
    }
  }

  /** What a listener does with one message. */
  @FunctionalInterface
  interface Taking {
    void take(Session session, Message message) throws JMSException;
  }

  /** A listener as people write them. */
  static AutoCloseable by(Life process, Taking taking) {
    Thread thread =
        new Thread(
            () -> {
              try (Connection connection = process.jms().createConnection();
                  Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
                  MessageConsumer consumer =
                      session.createConsumer(session.createQueue(process.queue()))) {
                connection.start();
                while (!Thread.currentThread().isInterrupted()) {
                  Message message = consumer.receive(100);
                  if (message != null) {
                    taking.take(session, message);
                  }
                }
              } catch (JMSException | RuntimeException e) {
                // It is crashed, or closed.
              }
            },
            "listener");
    thread.setDaemon(true);
    thread.setUncaughtExceptionHandler((died, why) -> {});
    thread.start();
    return () -> {
      thread.interrupt();
      thread.join(2_000);
    };
  }
}
