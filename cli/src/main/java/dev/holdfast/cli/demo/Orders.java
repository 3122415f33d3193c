package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/** The order service's own tables: orders, and a count per customer that gives them their order. */
final class Orders {
  private static final String PLACED = "select 1 from demo_orders where id = ?";

  /** Locks the customer's row until commit, so that sequences rise in the order of commits. */
  private static final String NEXT =
      """
      insert into demo_customers (name, sequence) values (?, 1)
      on conflict (name) do update set sequence = demo_customers.sequence + 1
      returning sequence
      """;

  private static final String INSERT =
      """
      insert into demo_orders (id, customer, sequence, placed_at)
      values (?, ?, ?, clock_timestamp()) on conflict (id) do nothing
      """;

  private Orders() {}

  static void createTables(Connection connection, String schema) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("create schema " + schema);
      statement.execute(
          "create table "
              + schema
              + ".demo_orders (id text primary key, customer text not null,"
              + " sequence bigint not null, placed_at timestamptz not null,"
              + " unique (customer, sequence))");
      statement.execute(
          "create table "
              + schema
              + ".demo_customers (name text primary key, sequence bigint not null)");
    }
  }

  static boolean isPlaced(Connection connection, String id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(PLACED)) {
      statement.setString(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
      }
    }
  }

  /**
   * Inserts the order, with the customer's next number.
   *
   * @return the number; empty when the order is there already, and the transaction is to be rolled
   *     back
   */
  static OptionalLong insert(Connection connection, String id, String customer)
      throws SQLException {
    long sequence;
    try (PreparedStatement statement = connection.prepareStatement(NEXT)) {
      statement.setString(1, customer);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        sequence = row.getLong(1);
      }
    }
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      statement.setString(1, id);
      statement.setString(2, customer);
      statement.setLong(3, sequence);
      return statement.executeUpdate() == 0 ? OptionalLong.empty() : OptionalLong.of(sequence);
    }
  }

  static String message(String id, long sequence) {
    return "{\"order\":\"%s\",\"sequence\":%d}".formatted(id, sequence);
  }

  /** All orders, with when each was inserted. */
  static Map<Verdict.Order, Instant> all(Connection connection) throws SQLException {
    Map<Verdict.Order, Instant> orders = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("select id, customer, sequence, placed_at from demo_orders")) {
      while (row.next()) {
        orders.put(
            new Verdict.Order(row.getString(1), row.getString(2), row.getLong(3)),
            row.getTimestamp(4).toInstant());
      }
    }
    return orders;
  }
}
