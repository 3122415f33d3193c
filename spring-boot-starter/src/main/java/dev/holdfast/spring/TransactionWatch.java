package dev.holdfast.spring;

import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.transaction.ConfigurableTransactionManager;
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
final class TransactionWatch implements TransactionExecutionListener, SmartInitializingSingleton {
  private static final Logger log = LoggerFactory.getLogger(TransactionWatch.class);

  private final TransactionalOutbox outbox;
  private final DataSource dataSource;
  private final ObjectProvider<TransactionManager> managers;

  TransactionWatch(
      TransactionalOutbox outbox,
      DataSource dataSource,
      ObjectProvider<TransactionManager> managers) {
    this.outbox = outbox;
    this.dataSource = dataSource;
    this.managers = managers;
  }

  /** Not before: an entity listener that publishes needs the outbox before its manager exists. */
  @Override
  public void afterSingletonsInstantiated() {
    List<TransactionManager> ours =
        managers.stream().filter(manager -> DataSources.manages(manager, dataSource)).toList();
    if (ours.isEmpty()) {
      log.warn(
          "No transaction manager belongs to Holdfast's DataSource. Publishing through"
              + " TransactionalOutbox will be refused in the transactions of others. Give that"
              + " DataSource a transaction manager, or mark the right DataSource with"
              + " @HoldfastDataSource.");
    }
    for (TransactionManager manager : ours) {
      if (manager instanceof ConfigurableTransactionManager configurable) {
        configurable.addListener(this);
      }
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
      TransactionBuffer buffer = outbox.buffer();
      if (buffer != null) {
        buffer.write();
      }
    }
  }
}
