package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** SQL that several contenders share, among it the caller's own change: an order. */
final class Db {
  private static final String INSERT_ORDER =
      "insert into bench_order (number, status) values (?, 'NEW')";

  private Db() {}

  /** Work in a transaction. */
  interface Work {
    void run(Connection connection) throws SQLException;
  }

  /** A connection each time. */
  static DataSource source(String url) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(url);
    return source;
  }

  /** Connections that are opened beforehand, each of them for whoever asks first. */
  static HikariDataSource pool(String url, int connections) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(connections);
    config.setMinimumIdle(connections);
    return new HikariDataSource(config);
  }

  static void execute(DataSource dataSource, String... statements) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    } catch (SQLException e) {
      throw new BenchmarkFailure("The database refused a statement of the benchmark", e);
    }
  }

  static long count(DataSource dataSource, String query) {
    return Long.parseLong(text(dataSource, query));
  }

  /** The first column of the first row. */
  static String text(DataSource dataSource, String query) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getString(1);
    } catch (SQLException e) {
      throw new BenchmarkFailure("The database refused a question of the benchmark", e);
    }
  }

  static void createOrders(DataSource dataSource) {
    execute(
        dataSource,
        "drop table if exists bench_order",
        "create table bench_order (number bigint not null, status text not null)");
  }

  /** The change that the message speaks of. */
  static void insertOrder(Connection connection, long number) throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement(INSERT_ORDER)) {
      insert.setLong(1, number);
      insert.executeUpdate();
    }
  }

  static void transact(DataSource dataSource, Work work) {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      work.run(connection);
      connection.commit();
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      throw new BenchmarkFailure("A transaction of the benchmark failed", e);
    }
  }
}
