package dev.holdfast.jms;

import dev.holdfast.Transaction;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import java.sql.SQLException;

/**
 * Handles a message of JMS inside a transaction of the database. All its effects belong there: it
 * may run again, after a serialization failure, a deadlock or a crash, and then nothing is left of
 * the run before.
 */
@FunctionalInterface
public interface JmsHandler {

  /**
   * @param message to be read only. Whether it is acknowledged is none of the handler's business
   * @throws dev.holdfast.inbox.TryAgainLater when something that it needs cannot be reached: no
   *     attempt is used up, and the message waits
   * @throws JMSException when the message cannot be read; that counts as a failed attempt
   */
  void handle(Transaction tx, Message message) throws SQLException, JMSException;
}
