package dev.holdfast.spring;

import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
final class TransactionWatch implements TransactionExecutionListener {
  private static final Logger log = LoggerFactory.getLogger(TransactionWatch.class);

  private final TransactionalOutbox outbox;

  private TransactionWatch(TransactionalOutbox outbox) {
    this.outbox = outbox;
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
    TransactionWatch watch = new TransactionWatch(outbox);
    for (TransactionManager manager : ours) {
      if (manager instanceof ConfigurableTransactionManager configurable) {
        configurable.addListener(watch);
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
