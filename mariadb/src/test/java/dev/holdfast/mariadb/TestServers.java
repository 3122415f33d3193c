package dev.holdfast.mariadb;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.MariaDbServer;
import dev.holdfast.devservices.PostgresServer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/**
 * One MariaDB and one PostgreSQL for all tests of this JVM; databases are the test's own, and
 * whoever kills a server starts it again.
 */
final class TestServers {
  private static final AtomicInteger NAMES = new AtomicInteger();

  static {
    // A pool trusts what was used in the last half second; a server can be back sooner than that.
    System.setProperty("com.zaxxer.hikari.aliveBypassWindowMs", "0");
  }

  private TestServers() {}

  /** A class of its own, so that an application that is forked does not start another. */
  static final class MariaDb {
    /** With a binary log, as a production server has; XA is written to it as well. */
    static final MariaDbServer SERVER =
        MariaDbServer.builder().setting("log_bin", "binlog").setting("sync_binlog", "1").start();

    private MariaDb() {}
  }

  /** As {@link MariaDb}. */
  static final class Postgres {
    static final PostgresServer SERVER = PostgresServer.start();

    private Postgres() {}
  }

  static String unique(String prefix) {
    return prefix + "_" + NAMES.incrementAndGet();
  }

  /** A pool on a database of its own. */
  static HikariDataSource mariaDb() {
    String name = unique("ledger");
    MariaDb.SERVER.createDatabase(name);
    return pool(MariaDb.SERVER.jdbcUrl(name));
  }

  /** A pool on a database of its own. */
  static HikariDataSource postgres() {
    String name = unique("orders");
    Postgres.SERVER.createDatabase(name);
    return pool(Postgres.SERVER.jdbcUrl(name));
  }

  static HikariDataSource pool(String url) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(20);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(5_000);
    return new HikariDataSource(config);
  }

  /** Breaks a connection off, as if its host had died, and tells its pool. */
  static void abandon(Connection connection) throws SQLException {
    try (connection) {
      connection.abort(Runnable::run);
    } catch (SQLNonTransientConnectionException e) {
      // The pool would have reset it.
    }
  }

  static void execute(DataSource dataSource, String sql) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      execute(connection, sql);
    }
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The rows of a query, their columns separated by blanks. */
  static List<String> list(DataSource dataSource, String sql) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return list(connection, sql);
    }
  }

  static List<String> list(Connection connection, String sql) throws SQLException {
    List<String> result = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        List<String> columns = new ArrayList<>();
        for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
          columns.add(String.valueOf(rows.getString(i)));
        }
        result.add(String.join(" ", columns));
      }
      return result;
    }
  }
}
