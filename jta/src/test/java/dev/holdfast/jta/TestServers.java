package dev.holdfast.jta;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.ArtemisServer;
import dev.holdfast.devservices.PostgresServer;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.QueueBrowser;
import jakarta.jms.TextMessage;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/**
 * One PostgreSQL with two databases, and one Artemis, for all tests of this JVM. Tables, queues,
 * node identifiers and logs are the test's own.
 */
final class TestServers {
  static final PostgresServer POSTGRES = PostgresServer.start();
  static final ArtemisServer ARTEMIS = ArtemisServer.start();
  static final String ORDERS = POSTGRES.jdbcUrl();
  static final String LEDGER = database("ledger");

  /** There is one coordinator in a JVM, and every test class has a JVM of its own. */
  static final String NODE = "shop";

  static final Path LOG = logDirectory();

  private static final AtomicInteger NAMES = new AtomicInteger();

  private TestServers() {}

  private static String database(String name) {
    POSTGRES.createDatabase(name);
    return POSTGRES.jdbcUrl(name);
  }

  static String unique(String prefix) {
    return prefix + "_" + NAMES.incrementAndGet();
  }

  /** That no other test has. */
  static Path logDirectory() {
    return Path.of("target", "xa-logs", UUID.randomUUID().toString()).toAbsolutePath();
  }

  static HikariDataSource pool(String url) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(8);
    config.setMinimumIdle(0);
    return new HikariDataSource(config);
  }

  static void execute(String url, String sql) {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  /** A table of ids in a database, and its name. */
  static String table(String url, String prefix) {
    String name = unique(prefix);
    execute(url, "create table " + name + " (id text not null)");
    return name;
  }

  static List<String> strings(String url, String query) {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      List<String> strings = new ArrayList<>();
      while (rows.next()) {
        strings.add(rows.getString(1));
      }
      return strings;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  static List<String> ids(String url, String table) {
    return strings(url, "select id from " + table + " order by id");
  }

  /** The branches that are in doubt in one database. */
  static List<String> prepared(String url) {
    return strings(url, "select gid from pg_prepared_xacts where database = current_database()");
  }

  /** What can be read in a queue. */
  static List<String> bodies(String queue) {
    try (ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(ARTEMIS.url());
        JMSContext context = factory.createContext();
        QueueBrowser browser = context.createBrowser(context.createQueue(queue))) {
      List<String> bodies = new ArrayList<>();
      for (Enumeration<?> each = browser.getEnumeration(); each.hasMoreElements(); ) {
        Message message = (Message) each.nextElement();
        bodies.add(
            message instanceof TextMessage text
                ? text.getText()
                : String.valueOf(message.getStringProperty("cloudEvents_partitionkey")));
      }
      return bodies;
    } catch (JMSException e) {
      throw new IllegalStateException(e);
    }
  }
}
