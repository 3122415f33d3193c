package dev.holdfast.crashtest;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;

/** A service that writes an order and an invoice, in one commit or in two. */
final class TwoTables {
  final DataSource dataSource;
  final String orders;
  final String invoices;

  TwoTables(DataSource dataSource, String orders, String invoices) {
    this.dataSource = dataSource;
    this.orders = orders;
    this.invoices = invoices;
  }

  void inOneCommit(String key) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      insert(connection, orders, key);
      insert(connection, invoices, key);
      connection.commit();
    }
  }

  void inTwoCommits(String key) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      insert(connection, orders, key);
      connection.commit();
      insert(connection, invoices, key);
      connection.commit();
    }
  }

  void inTwoCommitsTheOtherWayRound(String key) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      insert(connection, invoices, key);
      insert(connection, orders, key);
    }
  }

  static void insert(Connection connection, String table, String key) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("insert into " + table + " (id) values (?)")) {
      statement.setString(1, key);
      statement.executeUpdate();
    }
  }

  static void insertOnce(Connection connection, String table, String key) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "insert into " + table + " (id) values (?) on conflict (id) do nothing")) {
      statement.setString(1, key);
      statement.executeUpdate();
    }
  }
}
