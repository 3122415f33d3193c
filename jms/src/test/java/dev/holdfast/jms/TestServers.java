package dev.holdfast.jms;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.ArtemisServer;
import dev.holdfast.devservices.PostgresServer;
import jakarta.jms.BytesMessage;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.QueueBrowser;
import jakarta.jms.TextMessage;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/**
 * One PostgreSQL and one Artemis for all tests of this JVM; schemas and queues are the test's own,
 * and whoever kills one of them starts it again.
 */
final class TestServers {
  static final PostgresServer POSTGRES = PostgresServer.start();
  static final ArtemisServer ARTEMIS = ArtemisServer.start();

  private static final AtomicInteger NAMES = new AtomicInteger();

  private TestServers() {}

  static String unique(String prefix) {
    return prefix + "_" + NAMES.incrementAndGet();
  }

  /** A client that gives up soon: half a minute by default. */
  static ConnectionFactory client() {
    return client(ARTEMIS.port());
  }

  static ConnectionFactory client(int port) {
    return new ActiveMQConnectionFactory("tcp://127.0.0.1:" + port + "?callTimeout=3000");
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
    try (Connection connection = DriverManager.getConnection(POSTGRES.jdbcUrl());
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
    return strings("select id from " + table + " order by id");
  }

  /** What a query finds in its first column. */
  static List<String> strings(String query) {
    try (Connection connection = DriverManager.getConnection(POSTGRES.jdbcUrl());
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      List<String> ids = new ArrayList<>();
      while (rows.next()) {
        ids.add(rows.getString(1));
      }
      return ids;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What waits in a queue, in its order. */
  static List<Message> browse(String queue) {
    try (ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(ARTEMIS.url());
        JMSContext context = factory.createContext();
        QueueBrowser browser = context.createBrowser(context.createQueue(queue))) {
      List<Message> messages = new ArrayList<>();
      for (Enumeration<?> each = browser.getEnumeration(); each.hasMoreElements(); ) {
        messages.add((Message) each.nextElement());
      }
      return messages;
    } catch (JMSException e) {
      throw new IllegalStateException(e);
    }
  }

  static List<String> bodies(String queue) {
    return browse(queue).stream().map(TestServers::body).toList();
  }

  static String body(Message message) {
    try {
      if (message instanceof TextMessage text) {
        return text.getText();
      }
      BytesMessage bytes = (BytesMessage) message;
      byte[] body = new byte[Math.toIntExact(bytes.getBodyLength())];
      bytes.readBytes(body);
      bytes.reset();
      return new String(body, StandardCharsets.UTF_8);
    } catch (JMSException e) {
      throw new IllegalStateException(e);
    }
  }

  static String property(Message message, String name) {
    try {
      return String.valueOf(message.getStringProperty(name));
    } catch (JMSException e) {
      throw new IllegalStateException(e);
    }
  }
}
