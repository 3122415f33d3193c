package dev.holdfast.crashtest;

import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;

/** The servers of all tests of this JVM, started once; each test makes tables of its own. */
final class LabServers {
  static final PostgresServer POSTGRES =
      PostgresServer.builder().setting("max_prepared_transactions", "20").start();
  private static final AtomicInteger NAMES = new AtomicInteger();

  private LabServers() {}

  /** Apart, for the tests that need none. */
  static final class Kafka {
    static final KafkaServer SERVER =
        KafkaServer.builder().relayed().setting("group.min.session.timeout.ms", "1000").start();
    static final KafkaBroker BROKER = KafkaBroker.of(SERVER);

    private Kafka() {}

    /** A topic of one partition, and its name. */
    static String topic(String prefix) {
      String name = unique(prefix);
      SERVER.createTopic(name, 1);
      return name;
    }
  }

  /** A fresh name. */
  static String unique(String prefix) {
    return prefix + "_" + NAMES.incrementAndGet();
  }

  static String url() {
    return POSTGRES.jdbcUrl();
  }

  static void execute(String sql) {
    try (Connection connection = DriverManager.getConnection(url());
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  /** A table of ids, and its name. */
  static String table(String prefix) {
    String name = unique(prefix);
    execute("create table " + name + " (id varchar(100) not null)");
    return name;
  }

  /** A table whose key is unique, and its name. */
  static String keyedTable(String prefix) {
    String name = unique(prefix);
    execute("create table " + name + " (id varchar(100) primary key)");
    return name;
  }
}
