package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
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
      insert into demo_orders (id, customer, sequence)
      values (?, ?, ?) on conflict (id) do nothing
      """;

  private static final String ALL =
      """
      select id, customer, sequence,
        (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::bigint
      from demo_orders
      """;

  private Orders() {}

  static void createTables(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create table demo_orders (
            id text primary key,
            customer text not null,
            sequence bigint not null,
            unique (customer, sequence))
          """);
      statement.execute(
          "create table demo_customers (name text primary key, sequence bigint not null)");
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

  static int count(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select count(*) from demo_orders")) {
      row.next();
      return row.getInt(1);
    }
  }

  /** All orders, with when each was committed, in microseconds since 1970. */
  static Map<Verdict.Order, Long> all(Connection connection) throws SQLException {
    Map<Verdict.Order, Long> orders = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(ALL)) {
      while (row.next()) {
        orders.put(
            new Verdict.Order(row.getString(1), row.getString(2), row.getLong(3)), row.getLong(4));
      }
    }
    return orders;
  }
}
