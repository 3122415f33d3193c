package dev.holdfast.spring;

import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;
import org.springframework.transaction.TransactionManager;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Gives every transaction of Holdfast's {@code DataSource} its buffer when it begins, and has it
 * written just before the commit. From the begin on, since only a synchronization that was there
 * before the commit is told of it, and since savepoints may be set before the first message. A
 * listener of the transaction manager is called behind all synchronizations, so that what they
 * publish in {@code beforeCommit} shares the one statement. Thread-safe.
 */
final class TransactionWatch implements TransactionExecutionListener {
  private static final Logger log = LoggerFactory.getLogger(TransactionWatch.class);

  private final TransactionalOutbox outbox;
  private final List<DataSource> layers;

  private TransactionWatch(TransactionalOutbox outbox, DataSource dataSource) {
    this.outbox = outbox;
    this.layers = DataSources.layers(dataSource);
  }

  /**
   * Watches the managers of a {@code DataSource}, and no others. Not a bean, therefore: Spring Boot
   * would have it listen to all.
   */
  static void watch(
      Stream<TransactionManager> managers, DataSource dataSource, TransactionalOutbox outbox) {
    List<TransactionManager> ours =
        managers.filter(manager -> DataSources.manages(manager, dataSource)).toList();
    if (ours.isEmpty()) {
      log.warn(
          "No transaction manager belongs to Holdfast's DataSource. Publishing through"
              + " TransactionalOutbox will be refused in the transactions of others. Give that"
              + " DataSource a transaction manager, or mark the right DataSource with"
              + " @HoldfastDataSource.");
    }
    TransactionWatch watch = new TransactionWatch(outbox, dataSource);
    for (TransactionManager manager : ours) {
      if (manager instanceof ConfigurableTransactionManager configurable) {
        configurable.addListener(watch);
      }
    }
  }

  /**
   * A manager that does not see another's transaction, as that of JDBC does not see one of JPA,
   * would take its connection, and commit what the other has begun.
   */
  @Override
  public void beforeBegin(TransactionExecution transaction) {
    if (transaction.isNewTransaction() && DataSources.boundHolder(layers) != null) {
      throw new IllegalTransactionStateException(
          "Another transaction manager has a transaction of this DataSource open on this thread,"
              + " and this one would commit that by its own commit. Nothing was begun. Use one"
              + " manager for a DataSource (a JpaTransactionManager serves JDBC as well), and name"
              + " no other in @Transactional.");
    }
  }

  @Override
  public void afterBegin(TransactionExecution transaction, @Nullable Throwable failure) {
    if (failure == null
        && transaction.isNewTransaction()
        && TransactionSynchronizationManager.isSynchronizationActive()) {
      TransactionBuffer buffer = new TransactionBuffer(outbox);
      TransactionSynchronizationManager.bindResource(outbox, buffer);
      TransactionSynchronizationManager.registerSynchronization(buffer);
    }
  }

  @Override
  public void beforeCommit(TransactionExecution transaction) {
    // Also called before a savepoint is released, which commits nothing.
    if (transaction.isNewTransaction()) {
      if (transaction.isRollbackOnly()) {
        // Spring has asked before the callbacks in front of the commit, and would commit now.
        // Not one of Spring's own exceptions of transactions, which would not roll back here.
        throw new IllegalStateException(
            "The transaction was marked rollback-only by a callback in front of its commit, so it"
                + " is rolled back.");
      }
      TransactionBuffer buffer = outbox.buffer();
      if (buffer != null) {
        buffer.write();
      }
      SpringTransactions.atCommit(transaction);
    }
  }
}
