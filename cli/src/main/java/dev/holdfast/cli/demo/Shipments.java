package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The shipping service's own tables: a row for each parcel that leaves, and how many each customer
 * was sent. An order that is handled twice is shipped twice: nothing here is unique to an order.
 */
final class Shipments {
  static final RecordTables TABLES =
      new RecordTables(
          "shipping service", "demo_shipments", "count(*)", "demo_customers", "shipments");

  /** Locks the customer's row until commit, so that numbers rise in the order of commits. */
  private static final String COUNT =
      """
      insert into demo_customers (name, shipments) values (?, 1)
      on conflict (name) do update set shipments = demo_customers.shipments + 1
      """;

  private static final String SHIP =
      "insert into demo_shipments (order_id, customer) values (?, ?)";

  private Shipments() {}

  static void createTables(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create table demo_shipments (
            number bigint generated always as identity primary key,
            order_id text not null,
            customer text not null)
          """);
      statement.execute(
          "create table demo_customers (name text primary key, shipments bigint not null)");
    }
  }

  /** Ships an order, in the transaction of the connection. */
  static void ship(Connection connection, OrderMessage order) throws SQLException {
    try (PreparedStatement count = connection.prepareStatement(COUNT)) {
      count.setString(1, order.customer());
      count.executeUpdate();
    }
    try (PreparedStatement ship = connection.prepareStatement(SHIP)) {
      ship.setString(1, order.order());
      ship.setString(2, order.customer());
      ship.executeUpdate();
    }
  }
}
