package dev.holdfast.benchmarks;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

/** SQL that several contenders share, among it the caller's own change: an order. */
final class Db {
  private static final String INSERT_ORDER =
      "insert into bench_order (number, status) values (?, 'NEW')";

  private Db() {}

  /** Work in a transaction. */
  interface Work {
    void run(Connection connection) throws SQLException;
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
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
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
