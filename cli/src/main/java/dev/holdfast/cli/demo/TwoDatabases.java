package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * The usual code, with the usual care: the order is committed to its database and then the entry to
 * the ledger, each in a transaction. A retry that finds the order answers that all is well.
 */
final class TwoDatabases implements Strategy {
  private final DataSource orders;
  private final DataSource ledger;

  TwoDatabases(Wiring wiring) {
    this.orders = wiring.dataSource();
    this.ledger = wiring.ledger();
  }

  @Override
  public void place(String orderId, String customer) throws SQLException {
    try (Connection connection = orders.getConnection()) {
      if (Orders.isPlaced(connection, orderId)) {
        return;
      }
      connection.setAutoCommit(false);
      if (Orders.insert(connection, orderId, customer).isEmpty()) {
        connection.rollback();
        return;
      }
      connection.commit();
    }
    try (Connection connection = ledger.getConnection()) {
      connection.setAutoCommit(false);
      Ledger.enter(connection, orderId, customer);
      connection.commit();
    }
  }

  @Override
  public void close() {
    // The pools end with the process.
  }
}
