package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import javax.sql.DataSource;

/**
 * The usual code the other way round: the message is sent, and acknowledged, before the transaction
 * that holds the order commits, so that no order is without its message.
 */
final class BrokerThenDb implements Strategy {
  private final DataSource dataSource;
  private final OrderTopic topic;

  BrokerThenDb(Wiring wiring) {
    this.dataSource = wiring.dataSource();
    this.topic = new OrderTopic(wiring);
  }

  @Override
  public Optional<Instant> place(String orderId, String customer)
      throws SQLException, InterruptedException, MessageNotSent {
    try (Connection connection = dataSource.getConnection()) {
      if (Orders.isPlaced(connection, orderId)) {
        return Optional.empty();
      }
      connection.setAutoCommit(false);
      OptionalLong inserted = Orders.insert(connection, orderId, customer);
      if (inserted.isEmpty()) {
        connection.rollback();
        return Optional.empty();
      }
      topic.send(customer, Orders.message(orderId, inserted.getAsLong()));
      connection.commit();
      return Optional.of(Instant.now());
    }
  }

  @Override
  public void close() {
    topic.close();
  }
}
