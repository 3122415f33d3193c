package dev.holdfast.examples.orders;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.Target;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * Places orders with the message in the commit of the order, and delivers the messages from this
 * process.
 */
public final class OutboxOrders implements AutoCloseable {
  private static final String CHANNEL = "orders";

  private final Holdfast holdfast;

  /** A service on the database that has a table {@code orders}. */
  public OutboxOrders(DataSource dataSource, Target target, RelaySettings relay) {
    holdfast = Holdfast.on(dataSource).channel(CHANNEL, target, "orders.*").relay(relay).start();
  }

  /** Places an order, and announces it on {@code orders.placed}. */
  public void place(String id) {
    try {
      holdfast.transact(
          tx -> {
            save(tx.connection(), id);
            tx.publish(Message.of("orders.placed", id, "placed"));
          });
    } catch (OutcomeUnknown e) {
      // The reply to the commit was lost, and the database still knows whether there was one.
      if (!(e.resolve() instanceof Outcome.Committed)) {
        throw e;
      }
    }
  }

  private static void save(Connection connection, String id) throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement("insert into orders (id) values (?)")) {
      insert.setString(1, id);
      insert.executeUpdate();
    }
  }

  /** Whether this process delivers, rather than another one or nobody. */
  public boolean isDelivering() {
    return holdfast.status().stream().allMatch(status -> status.phase() == RelayPhase.LEADING);
  }

  /** Whether all messages are delivered, and the database knows. */
  public boolean isDelivered() {
    return holdfast.store().channels().status(CHANNEL).lagMessages() == 0;
  }

  @Override
  public void close() {
    holdfast.close();
  }
}
