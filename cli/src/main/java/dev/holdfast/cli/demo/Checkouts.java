package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;

/**
 * The order service's tables where orders are checked out: an order is open, until it is confirmed
 * or cancelled. It gets its customer's next number when it is confirmed, which is when others are
 * told of it.
 */
final class Checkouts {
  enum State {
    OPEN,
    CONFIRMED,
    CANCELLED
  }

  private static final String PLACED = "select 1 from demo_orders where id = ?";

  private static final String INSERT =
      "insert into demo_orders (id, customer) values (?, ?) on conflict (id) do nothing";

  /** Locks the customer's row until commit, so that sequences rise in the order of commits. */
  private static final String NEXT =
      """
      insert into demo_customers (name, sequence) values (?, 1)
      on conflict (name) do update set sequence = demo_customers.sequence + 1
      returning sequence
      """;

  private static final String CONFIRM =
      "update demo_orders set state = 'CONFIRMED', sequence = ? where id = ? and state = 'OPEN'";

  private static final String CANCEL =
      "update demo_orders set state = 'CANCELLED' where id = ? and state = 'OPEN'";

  private static final String CONFIRMED =
      """
      select id, customer, sequence,
        (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::bigint
      from demo_orders where state = 'CONFIRMED'
      """;

  private Checkouts() {}

  static void createTables(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create table demo_orders (
            id text primary key,
            customer text not null,
            state text not null default 'OPEN' check (state in ('OPEN', 'CONFIRMED', 'CANCELLED')),
            sequence bigint,
            unique (customer, sequence),
            check ((state = 'CONFIRMED') = (sequence is not null)))
          """);
      statement.execute(
          "create table demo_customers (name text primary key, sequence bigint not null)");
    }
    PlainStock.createTables(connection);
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
   * Inserts the order, open.
   *
   * @return false when it is there already
   */
  static boolean insert(Connection connection, String id, String customer) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      statement.setString(1, id);
      statement.setString(2, customer);
      return statement.executeUpdate() > 0;
    }
  }

  /**
   * Confirms an open order.
   *
   * @return the customer's number for it
   * @throws IllegalStateException when it is not open; the transaction is to be rolled back
   */
  static long confirm(Connection connection, String id, String customer) throws SQLException {
    long sequence;
    try (PreparedStatement statement = connection.prepareStatement(NEXT)) {
      statement.setString(1, customer);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        sequence = row.getLong(1);
      }
    }
    try (PreparedStatement statement = connection.prepareStatement(CONFIRM)) {
      statement.setLong(1, sequence);
      statement.setString(2, id);
      requireOpen(id, statement.executeUpdate());
    }
    return sequence;
  }

  /**
   * Cancels an open order.
   *
   * @throws IllegalStateException when it is not open; the transaction is to be rolled back
   */
  static void cancel(Connection connection, String id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(CANCEL)) {
      statement.setString(1, id);
      requireOpen(id, statement.executeUpdate());
    }
  }

  private static void requireOpen(String id, int changed) {
    if (changed == 0) {
      throw new IllegalStateException(id + " is not open");
    }
  }

  static Map<String, State> states(Connection connection) throws SQLException {
    Map<String, State> states = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select id, state from demo_orders")) {
      while (row.next()) {
        states.put(row.getString(1), State.valueOf(row.getString(2)));
      }
    }
    return states;
  }

  /** All that are confirmed, with when each was, in microseconds since 1970. */
  static Map<Verdict.Order, Long> confirmed(Connection connection) throws SQLException {
    Map<Verdict.Order, Long> orders = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(CONFIRMED)) {
      while (row.next()) {
        orders.put(
            new Verdict.Order(row.getString(1), row.getString(2), row.getLong(3)), row.getLong(4));
      }
    }
    return orders;
  }
}
