package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The tables of the ledger, on a server of its own: an entry for what is charged, and what each
 * customer owes. An order that is entered twice is charged twice: nothing here is unique to an
 * order.
 */
final class Ledger {
  static final RecordTables TABLES =
      new RecordTables("ledger", "demo_entries", "sum(amount)", "demo_accounts", "balance");

  private static final int PRICE = 1990;

  /** Locks the account until commit, so that numbers rise in the order of commits. */
  private static final String CHARGE =
      """
      insert into demo_accounts (name, balance) values (?, ?)
      on conflict (name) do update set balance = demo_accounts.balance + excluded.balance
      """;

  private static final String ENTER =
      "insert into demo_entries (order_id, customer, amount) values (?, ?, ?)";

  private Ledger() {}

  /** The name of its database. */
  static String database(StrategyKind kind) {
    return "ledger_" + kind.id().replace('-', '_');
  }

  static void createTables(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create table demo_entries (
            number bigint generated always as identity primary key,
            order_id text not null,
            customer text not null,
            amount bigint not null)
          """);
      statement.execute(
          "create table demo_accounts (name text primary key, balance bigint not null)");
    }
  }

  /** Charges the customer for an order, in the transaction of the connection. */
  static void enter(Connection connection, String orderId, String customer) throws SQLException {
    try (PreparedStatement charge = connection.prepareStatement(CHARGE)) {
      charge.setString(1, customer);
      charge.setLong(2, PRICE);
      charge.executeUpdate();
    }
    try (PreparedStatement enter = connection.prepareStatement(ENTER)) {
      enter.setString(1, orderId);
      enter.setString(2, customer);
      enter.setLong(3, PRICE);
      enter.executeUpdate();
    }
  }
}
