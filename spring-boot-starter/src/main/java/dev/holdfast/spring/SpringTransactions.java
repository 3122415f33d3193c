package dev.holdfast.spring;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.HoldfastException;
import dev.holdfast.Isolation;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.TransactionRunner;
import dev.holdfast.outbox.store.OutboxWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.Ordered;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionExecution;
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
  private static final ThreadLocal<@Nullable Running> RUNNING = new ThreadLocal<>();

  private final PlatformTransactionManager manager;

  /** Whether {@link TransactionWatch} tells when it comes to the commit. */
  private final boolean isWatched;

  private final OutboxWriter writer;
  private final DataSource dataSource;
  private final List<DataSource> layers;

  /** The level that connections come with, asked for once; -1 until then. */
  private volatile int isolationByDefault = -1;

  /**
   * @param writer which knows the errors of the database
   */
  SpringTransactions(
      PlatformTransactionManager manager, DataSource dataSource, OutboxWriter writer) {
    this.manager = manager;
    this.isWatched = manager instanceof ConfigurableTransactionManager;
    this.writer = writer;
    this.dataSource = dataSource;
    this.layers = DataSources.layers(dataSource);
  }

  /** A transaction that was begun here, from its begin to behind its commit. */
  private record Running(TransactionStatus status, Ending ending) {}

  @Override
  public <T extends @Nullable Object> T run(Isolation isolation, Work<T> work) throws SQLException {
    TransactionStatus status = begin(isolation);
    Running outer = RUNNING.get();
    Running running = new Running(status, new Ending(isWatched));
    RUNNING.set(running);
    try {
      T result;
      try {
        TransactionSynchronizationManager.registerSynchronization(running.ending());
        running.ending().holder = holder();
        result = work.run(running.ending().holder.getConnection());
      } catch (Throwable e) {
        // Of whatever kind: some languages do not declare what they throw.
        rollBack(status, e);
        throw e;
      }
      commit(running);
      return result;
    } finally {
      restore(outer);
    }
  }

  private static void restore(@Nullable Running outer) {
    if (outer == null) {
      RUNNING.remove();
    } else {
      RUNNING.set(outer);
    }
  }

  /** Called when all is done that comes in front of a commit, and the commit itself is next. */
  static void atCommit(TransactionExecution transaction) {
    Running running = RUNNING.get();
    if (running != null && running.status() == transaction) {
      running.ending().reached = true;
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

  private ConnectionHolder holder() {
    ConnectionHolder holder = DataSources.boundHolder(layers);
    if (holder == null) {
      throw new StoreUnavailable(
          "The transaction that %s began has no connection of Holdfast's DataSource, so nothing was done in it. A JPA vendor that shows its connection is needed (Hibernate does)."
              .formatted(manager.getClass().getName()),
          null);
    }
    return holder;
  }

  /** Whether the work on this thread is done in a transaction that was begun here. */
  static boolean isRunning() {
    return RUNNING.get() != null;
  }

  /** Whether somebody who takes part has decided that it is not to be committed. */
  static boolean isRollbackOnly() {
    Running running = RUNNING.get();
    return running != null && running.status().isRollbackOnly();
  }

  /**
   * Ends one record's part of a transaction that goes on: what JPA has kept back is written, so
   * that what is wrong with it is told of this record.
   */
  void endPart() {
    Running running = RUNNING.get();
    if (running == null) {
      return;
    }
    TransactionStatus status = running.status();
    if (DataSources.boundHolder(layers) != running.ending().holder) {
      throw new DatabaseFailure(
          "A transaction that was begun inside (REQUIRES_NEW, by hand) has not been ended, and what"
              + " comes next would have been done in it. Nothing of the outer one is committed. End"
              + " it in a finally block, or use a TransactionTemplate.");
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

  private void commit(Running running) throws SQLException {
    Ending ending = running.ending();
    try {
      manager.commit(running.status());
    } catch (VirtualMachineError e) {
      throw e;
    } catch (RuntimeException | Error e) {
      if (ending.committed) {
        log.error("A transaction is committed, and a callback behind its commit failed", e);
        return;
      }
      if (isWatched && !ending.reached) {
        throw refused(e);
      }
      throw notCommitted(e, ending);
    }
    if (!ending.committed) {
      throw new DatabaseFailure(
          "The transaction was marked rollback-only, and has been rolled back. Nothing of it is"
              + " committed.");
    }
  }

  /** What came out of the commit itself. */
  private static SQLException notCommitted(Throwable e, Ending ending) {
    SQLException database = sqlCause(e);
    if (database != null && isAnswer(database)) {
      return database;
    }
    if (database != null || !ending.rolledBack) {
      return new SQLException(
          "whether the transaction is committed is not known: " + reason(e), UNKNOWN, e);
    }
    throw e instanceof HoldfastException refusal ? refusal : refusal(e);
  }

  /** What came in front of the commit, which has not been tried. Others may share it. */
  private RuntimeException refused(Throwable e) throws SQLException {
    SQLException database = sqlCause(e);
    if (database != null && writer.isRetryable(database)) {
      throw database;
    }
    if (e instanceof HoldfastException refusal) {
      return refusal;
    }
    if (database != null
        && writer.translate("end a transaction", database) instanceof StoreUnavailable outage) {
      return outage;
    }
    return refusal(e);
  }

  private static DatabaseFailure refusal(Throwable e) {
    return new DatabaseFailure(
        "The transaction was refused in front of its commit (" + e + "). It is rolled back.", e);
  }

  /** Whether the server has said this, who then has not committed. */
  private static boolean isAnswer(SQLException e) {
    String state = e.getSQLState();
    return state != null && !state.isEmpty() && !state.startsWith("08");
  }

  private static String reason(Throwable e) {
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

    /** Whether it would be told that the commit itself is next. */
    private final boolean isWatched;

    private boolean reached;

    private @Nullable ConnectionHolder holder;

    Ending(boolean isWatched) {
      this.isWatched = isWatched;
    }

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
      if (isWatched && !reached && !committed) {
        rollBack();
      }
    }

    /**
     * Where a callback in front of the commit throws one of Spring's own exceptions of
     * transactions, Spring takes it for the commit's, does not roll back, and gives the connection
     * back, which commits.
     */
    private void rollBack() {
      ConnectionHolder held = holder;
      try {
        if (held != null) {
          held.getConnection().rollback();
        }
      } catch (SQLException | RuntimeException e) {
        // It is broken or has been given back, rolled back.
        log.debug("Could not roll back once more", e);
      }
    }
  }
}
