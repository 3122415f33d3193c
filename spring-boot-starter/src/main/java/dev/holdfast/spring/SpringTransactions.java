package dev.holdfast.spring;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.Isolation;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.TransactionRunner;
import dev.holdfast.inbox.TryAgainLater;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.Ordered;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.support.DefaultTransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Holdfast's transactions, begun and ended by Spring's own manager, so that everything which joins
 * Spring's transactions joins these. Thread-safe.
 *
 * <p>What a commit answers is told apart by what the database said, and not by Spring's status of
 * the transaction: after a lost reply a manager tries to roll back, and may report that it has,
 * where nobody knows. An exception without an {@code SQLException} in it came out of a callback in
 * front of the commit; one that comes out of a callback behind it changes nothing any more.
 */
final class SpringTransactions implements TransactionRunner {
  private static final Logger log = LoggerFactory.getLogger(SpringTransactions.class);

  /** "Transaction resolution unknown". */
  private static final String UNKNOWN = "08007";

  /** "Unable to establish a connection". */
  private static final String NOT_BEGUN = "08001";

  /** The one that work on this thread is done in. */
  private static final ThreadLocal<@Nullable TransactionStatus> RUNNING = new ThreadLocal<>();

  private final PlatformTransactionManager manager;
  private final DataSource dataSource;
  private final List<DataSource> layers;

  /** The level that connections come with, asked for once; -1 until then. */
  private volatile int isolationByDefault = -1;

  SpringTransactions(PlatformTransactionManager manager, DataSource dataSource) {
    this.manager = manager;
    this.dataSource = dataSource;
    this.layers = DataSources.layers(dataSource);
  }

  @Override
  public <T extends @Nullable Object> T run(Isolation isolation, Work<T> work) throws SQLException {
    TransactionStatus status = begin(isolation);
    TransactionStatus outer = RUNNING.get();
    RUNNING.set(status);
    Ending ending = new Ending();
    T result;
    try {
      TransactionSynchronizationManager.registerSynchronization(ending);
      result = work.run(connection());
    } catch (SQLException | RuntimeException | Error e) {
      rollBack(status, e);
      throw e;
    } finally {
      restore(outer);
    }
    commit(status, ending);
    return result;
  }

  private void restore(@Nullable TransactionStatus outer) {
    if (outer == null) {
      RUNNING.remove();
    } else {
      RUNNING.set(outer);
    }
  }

  private TransactionStatus begin(Isolation isolation) throws SQLException {
    DefaultTransactionDefinition definition =
        new DefaultTransactionDefinition(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
    definition.setName("Holdfast");
    if (isolationByDefault() != isolation.jdbcLevel()) {
      definition.setIsolationLevel(isolation.jdbcLevel());
    }
    try {
      return manager.getTransaction(definition);
    } catch (RuntimeException e) {
      throw new SQLException(
          "the transaction manager could not begin a transaction: " + reason(e), NOT_BEGUN, e);
    }
  }

  private int isolationByDefault() throws SQLException {
    int level = isolationByDefault;
    if (level < 0) {
      try (Connection connection = dataSource.getConnection()) {
        level = connection.getTransactionIsolation();
      }
      isolationByDefault = level;
    }
    return level;
  }

  private Connection connection() {
    ConnectionHolder holder = DataSources.boundHolder(layers);
    if (holder == null) {
      throw new StoreUnavailable(
          "The transaction that %s began has no connection of Holdfast's DataSource, so nothing was done in it. A JPA vendor that shows its connection is needed (Hibernate does)."
              .formatted(manager.getClass().getName()),
          null);
    }
    return holder.getConnection();
  }

  /** Whether the work on this thread is done in a transaction that was begun here. */
  static boolean isRunning() {
    return RUNNING.get() != null;
  }

  /** Whether somebody who takes part has decided that it is not to be committed. */
  static boolean isRollbackOnly() {
    TransactionStatus status = RUNNING.get();
    return status != null && status.isRollbackOnly();
  }

  /**
   * Ends one record's part of a transaction that goes on: what JPA has kept back is written, so
   * that what is wrong with it is told of this record.
   */
  static void endPart() {
    TransactionStatus status = RUNNING.get();
    if (status == null) {
      return;
    }
    if (status.isRollbackOnly()) {
      throw new DatabaseFailure(
          "A transactional method that took part marked the transaction rollback-only, by an"
              + " exception that was caught outside it or by setRollbackOnly(). Nothing of it is"
              + " committed. Let the exception pass, or give that method a transaction of its own"
              + " (REQUIRES_NEW).");
    }
    status.flush();
  }

  private void rollBack(TransactionStatus status, Throwable cause) {
    try {
      manager.rollback(status);
    } catch (RuntimeException e) {
      // The connection is broken, or a callback is; the database rolls back what was not committed.
      cause.addSuppressed(e);
    }
  }

  private void commit(TransactionStatus status, Ending ending) throws SQLException {
    try {
      manager.commit(status);
    } catch (RuntimeException e) {
      if (ending.committed) {
        log.error("A transaction is committed, and a callback behind its commit failed", e);
        return;
      }
      SQLException database = sqlCause(e);
      if (database != null && isAnswer(database)) {
        throw database;
      }
      if (database != null || !ending.rolledBack) {
        throw new SQLException(
            "whether the transaction is committed is not known: " + reason(e), UNKNOWN, e);
      }
      if (e instanceof TryAgainLater || e instanceof StoreUnavailable) {
        throw e;
      }
      throw new DatabaseFailure(
          "The transaction was refused in front of its commit (" + e + "). It is rolled back.", e);
    }
  }

  /** Whether the server has said this, who then has not committed. */
  private static boolean isAnswer(SQLException e) {
    String state = e.getSQLState();
    return state != null && !state.isEmpty() && !state.startsWith("08");
  }

  private static String reason(RuntimeException e) {
    SQLException database = sqlCause(e);
    return String.valueOf(database == null ? e : database.getMessage());
  }

  private static @Nullable SQLException sqlCause(Throwable thrown) {
    for (Throwable e = thrown; e != null; e = e.getCause()) {
      if (e instanceof SQLException sql) {
        return sql;
      }
    }
    return null;
  }

  /**
   * How the transaction has ended, by Spring's account. First, so that no other callback hides it.
   */
  private static final class Ending implements TransactionSynchronization {
    private boolean committed;
    private boolean rolledBack;

    @Override
    public int getOrder() {
      return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public void afterCommit() {
      committed = true;
    }

    @Override
    public void afterCompletion(int status) {
      committed |= status == STATUS_COMMITTED;
      rolledBack = status == STATUS_ROLLED_BACK;
    }
  }
}
