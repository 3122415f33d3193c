package dev.holdfast.rabbitmq;

import com.rabbitmq.client.Delivery;
import dev.holdfast.Transaction;
import java.sql.SQLException;

/**
 * Handles a message of RabbitMQ inside a transaction of the database. All its effects belong there:
 * it may run again, after a serialization failure, a deadlock or a crash, and then nothing is left
 * of the run before.
 */
@FunctionalInterface
public interface RabbitMqHandler {

  /**
   * @throws dev.holdfast.inbox.TryAgainLater when something that it needs cannot be reached: no
   *     attempt is used up, and the message waits
   */
  void handle(Transaction tx, Delivery message) throws SQLException;
}
