package dev.holdfast.cli.demo;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import javax.sql.DataSource;

/**
 * The usual code, with the usual care: the order is committed, then its message is sent and its
 * acknowledgment awaited. A retry that finds the order answers that all is well.
 */
final class DbThenBroker implements Strategy {
  private final DataSource dataSource;
  private final OrderTopic topic;

  DbThenBroker(Wiring wiring) {
    this.dataSource = wiring.dataSource();
    this.topic = new OrderTopic(wiring);
  }

  @Override
  public Optional<Instant> place(String orderId, String customer)
      throws SQLException, InterruptedException, MessageNotSent {
    Instant committed;
    long sequence;
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
      sequence = inserted.getAsLong();
      connection.commit();
      committed = Instant.now();
    }
    topic.send(customer, Orders.message(orderId, sequence));
    return Optional.of(committed);
  }

  @Override
  public void close() {
    topic.close();
  }
}
