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
  void handle(Transaction tx, Delivery message) throws SQLException;
}
