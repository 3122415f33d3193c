package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.OptionalLong;
import javax.sql.DataSource;

/**
 * The usual code, with the usual care: the order is committed to the database, its message is sent
 * to the broker and its acknowledgment awaited, one after the other. A retry that finds the order
 * answers that all is well.
 */
final class TwoCommits implements Strategy {
  private final DataSource dataSource;
  private final OrderTopic topic;
  private final boolean brokerFirst;

  /**
   * @param brokerFirst whether the message is acknowledged before the order commits, so that no
   *     order is without its message
   */
  TwoCommits(Wiring wiring, boolean brokerFirst) {
    this.dataSource = wiring.dataSource();
    this.topic = new OrderTopic(wiring);
    this.brokerFirst = brokerFirst;
  }

  @Override
  public void place(String orderId, String customer)
      throws SQLException, InterruptedException, MessageNotSent {
    String message;
    try (Connection connection = dataSource.getConnection()) {
      if (Orders.isPlaced(connection, orderId)) {
        return;
      }
      connection.setAutoCommit(false);
      OptionalLong inserted = Orders.insert(connection, orderId, customer);
      if (inserted.isEmpty()) {
        connection.rollback();
        return;
      }
      message = new OrderMessage(orderId, customer, inserted.getAsLong()).json();
      if (brokerFirst) {
        topic.send(customer, message);
      }
      connection.commit();
    }
    if (!brokerFirst) {
      topic.send(customer, message);
    }
  }

  @Override
  public void close() {
    topic.close();
  }
}
