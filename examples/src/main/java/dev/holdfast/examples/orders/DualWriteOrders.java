package dev.holdfast.examples.orders;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.concurrent.ExecutionException;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Places orders as is usual and careful: the order is saved and committed, and the message is sent
 * and its acknowledgment waited for. Between the two lies the dual write.
 */
public final class DualWriteOrders {
  private final DataSource dataSource;
  private final Producer<String, String> producer;

  /** A service on the database that has a table {@code orders}. */
  public DualWriteOrders(DataSource dataSource, Producer<String, String> producer) {
    this.dataSource = dataSource;
    this.producer = producer;
  }

  /** Places an order, and announces it on {@code orders.placed}. */
  public void place(String id) throws SQLException, ExecutionException, InterruptedException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      save(connection, id);
      connection.commit();
    }
    producer.send(new ProducerRecord<>("orders.placed", id, "placed")).get();
  }

  private static void save(Connection connection, String id) throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement("insert into orders (id) values (?)")) {
      insert.setString(1, id);
      insert.executeUpdate();
    }
  }
}
