package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Publishes in Spring's current transaction, whether {@code @Transactional} or a {@code
 * TransactionTemplate} began it: a message is delivered if and only if that transaction commits.
 *
 * <p>Messages are kept in memory and written in one statement just before the commit, behind all
 * other {@code beforeCommit} callbacks, so that the locks of their keys last as short as may be.
 * What that statement refuses (a topic that no channel takes, say) is therefore thrown by the
 * commit, which rolls back. {@code NESTED} drops the messages of what is rolled back to its
 * savepoint, {@code REQUIRES_NEW} has messages of its own. A crash before the commit leaves neither
 * the changes nor their messages, a crash after it both.
 *
 * <p>Needs a transaction manager of the same {@code DataSource} as Holdfast: that of JDBC or of
 * JPA. Transactions of a manager that is no bean are joined as well, but each call writes at once.
 * Thread-safe.
 */
public final class TransactionalOutbox {
  private final Holdfast holdfast;
  private final List<DataSource> dataSources;

  TransactionalOutbox(Holdfast holdfast, DataSource dataSource) {
    this.holdfast = holdfast;
    this.dataSources = DataSources.layers(dataSource);
  }

  /**
   * Records a message in the current transaction.
   *
   * @throws NoTransaction when there is none of Holdfast's {@code DataSource}, when it is
   *     read-only, or when it has been committed already; nothing was recorded, and the
   *     transaction, if there is one, can go on
   * @throws dev.holdfast.InvalidMessage when the transaction holds too many; none of this call was
   *     recorded
   */
  public void publish(Message message) {
    publish(List.of(message));
  }

  /** As {@link #publish(Message)}, for several, in order. */
  public void publish(List<Message> messages) {
    publish(null, messages);
  }

  /**
   * As {@link #publish(List)}, and names the operation that the transaction is, which all its
   * records and messages carry. Without a name it gets a random one.
   *
   * @throws dev.holdfast.InvalidMessage when the transaction has another name already; none of this
   *     call was recorded
   */
  public void publish(@Nullable String operationId, List<Message> messages) {
    Connection connection = requireTransaction();
    TransactionBuffer buffer = buffer();
    if (buffer == null) {
      String operation = operationId == null ? UUID.randomUUID().toString() : operationId;
      holdfast.publish(connection, operation, messages);
      return;
    }
    if (operationId != null) {
      buffer.operationId(operationId);
    }
    // Now, not when they are written: by then the span of this call may be over.
    buffer.add(messages.stream().map(holdfast::announce).toList());
  }

  @Nullable TransactionBuffer buffer() {
    return (TransactionBuffer) TransactionSynchronizationManager.getResource(this);
  }

  /**
   * Has the current transaction roll back instead of committing, with this reason, whether or not
   * the caller goes on. Not one whose manager is no bean, and not in the commit itself: there the
   * reason is only thrown.
   */
  void refuseCommit(RuntimeException reason) {
    TransactionBuffer buffer = buffer();
    if (buffer != null) {
      buffer.refuse(reason);
    }
  }

  void write(String operationId, List<Message> messages) {
    holdfast.record(requireTransaction(), operationId, messages);
  }

  void committed() {
    holdfast.wake();
  }

  /** The connection of the current transaction. */
  Connection requireTransaction() {
    if (!TransactionSynchronizationManager.isActualTransactionActive()
        || !TransactionSynchronizationManager.isSynchronizationActive()) {
      if (buffer() != null) {
        throw TransactionBuffer.over();
      }
      throw new NoTransaction(
          "There is no transaction, so nothing was recorded. Call from a method that is"
              + " @Transactional (and not from another of the same object, which passes Spring's"
              + " proxy by), or use a TransactionTemplate.");
    }
    ConnectionHolder holder = DataSources.boundHolder(dataSources);
    if (holder == null) {
      throw notOurs();
    }
    if (TransactionSynchronizationManager.isCurrentTransactionReadOnly()) {
      throw new NoTransaction(
          "The transaction is read-only, so nothing was recorded. Take readOnly off"
              + " @Transactional, or publish in a transaction of its own (REQUIRES_NEW).");
    }
    Connection connection = holder.getConnection();
    try {
      if (connection.getAutoCommit()) {
        // Bound by a JdbcTemplate, say, in the transaction of another resource.
        throw notOurs();
      }
    } catch (SQLException e) {
      throw new NoTransaction(
          "The transaction's connection cannot be used ("
              + e.getMessage()
              + "), so nothing was recorded. The transaction will not commit; run it again.",
          e);
    }
    return connection;
  }

  private static NoTransaction notOurs() {
    return new NoTransaction(
        "The current transaction ("
            + TransactionSynchronizationManager.getCurrentTransactionName()
            + ") is not one of Holdfast's DataSource, so a message would not share its commit;"
            + " nothing was recorded. Name the transaction manager of that DataSource in"
            + " @Transactional(transactionManager = …), or mark the DataSource meant with"
            + " @HoldfastDataSource.");
  }
}
