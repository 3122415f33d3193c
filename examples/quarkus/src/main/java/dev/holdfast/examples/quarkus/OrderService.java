package dev.holdfast.examples.quarkus;

import dev.holdfast.Message;
import io.agroal.api.AgroalDataSource;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.transaction.Transactional;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** Places orders. */
@ApplicationScoped
public class OrderService {
  private final AgroalDataSource dataSource;
  private final Outbox outbox;

  OrderService(AgroalDataSource dataSource, Outbox outbox) {
    this.dataSource = dataSource;
    this.outbox = outbox;
  }

  // snippet:quarkus-transactional
  /** The order and its message are one commit: both happen, or neither. */
  @Transactional(rollbackOn = Exception.class)
  public void place(Order order) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement insert =
            connection.prepareStatement("insert into shop_order (id, cents) values (?, ?)")) {
      insert.setString(1, order.id());
      insert.setLong(2, order.cents());
      insert.executeUpdate();
    }
    outbox.publish(Message.of("orders.placed", order.id(), order.json()));
  }
  // end
}
