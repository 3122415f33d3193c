package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.Transaction;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Calls listener methods in transactions of Spring's manager. Thread-safe.
 *
 * @param holdfast whose transactions these are
 */
record ReceivedWork(
    Holdfast holdfast, SpringTransactions transactions, TransactionalOutbox outbox) {

  /** One message of several that share the transaction: what is wrong with it is told of it. */
  <M> void doPart(ListenerMethod<M> method, Transaction tx, M message) throws SQLException {
    TransactionBuffer buffer = call(method, tx, message);
    if (buffer != null) {
      buffer.endPart();
    }
  }

  /** The only message of the transaction, whose operation is that of callbacks as well. */
  <M> void doAll(ListenerMethod<M> method, Transaction tx, M message) throws SQLException {
    call(method, tx, message);
  }

  private <M> @Nullable TransactionBuffer call(ListenerMethod<M> method, Transaction tx, M message)
      throws SQLException {
    TransactionBuffer buffer = outbox.buffer();
    if (buffer != null) {
      buffer.beginPart(tx.operationId());
    }
    method.call(buffer == null ? tx : new ListenerTransaction(tx, outbox, buffer), message);
    transactions.endPart();
    return buffer;
  }
}
