package dev.holdfast;

import dev.holdfast.boundary.Outcome;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.transaction.BufferedTransaction;
import dev.holdfast.internal.transaction.Closing;
import dev.holdfast.internal.transaction.Transactions;
import dev.holdfast.outbox.OutboxListener;
import dev.holdfast.outbox.store.Attempt;
import dev.holdfast.outbox.store.OutboxWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Runs transactions: begin, the caller's work, and then messages, attempt and commit in one round
 * trip.
 *
 * <p>A crash before that round trip leaves nothing; after it, everything. When its reply is lost
 * the outcome is unknown until the attempt's row is asked about; it is the only case in which the
 * work is neither repeated nor reported as failed.
 */
final class Transactor implements Transactions {
  private static final Logger log = LoggerFactory.getLogger(Transactor.class);

  private final DataSource dataSource;
  private final OutboxWriter writer;
  private final InstantSource clock;
  private final OutboxListener listener;
  private final Runnable committed;

  /**
   * The level that this data source's connections come with, asked for once: the driver asks the
   * server, which would cost every transaction a round trip. -1 until asked.
   */
  private volatile int isolationByDefault = -1;

  /** Who begins and ends transactions, where that is not done here. */
  private final @Nullable TransactionRunner runner;

  /**
   * @param committed called after a commit that recorded messages
   */
  Transactor(
      DataSource dataSource,
      OutboxWriter writer,
      InstantSource clock,
      OutboxListener listener,
      Runnable committed) {
    this(dataSource, writer, clock, listener, committed, null);
  }

  private Transactor(
      DataSource dataSource,
      OutboxWriter writer,
      InstantSource clock,
      OutboxListener listener,
      Runnable committed,
      @Nullable TransactionRunner runner) {
    this.dataSource = dataSource;
    this.writer = writer;
    this.clock = clock;
    this.listener = listener;
    this.committed = committed;
    this.runner = runner;
  }

  /** The same, whose transactions this one begins and ends. */
  Transactor by(TransactionRunner other) {
    return new Transactor(dataSource, writer, clock, listener, committed, other);
  }

  /** With an attempt's row of its own, which a lost reply is resolved by. */
  <T extends @Nullable Object> T run(TransactionOptions options, TransactionWork<T> work) {
    Attempt attempt = new Attempt(UUID.randomUUID(), clock.instant());
    return run(options, work, new Attempted<>(writer, attempt));
  }

  @Override
  public <T extends @Nullable Object> T run(
      TransactionOptions options, TransactionWork<T> work, Closing<T> closing) {
    String operationId = options.operationIdOrNew();
    Backoff backoff =
        new Backoff(Duration.ofMillis(2), Duration.ofMillis(200), ThreadLocalRandom.current());
    try (MDC.MDCCloseable field = MDC.putCloseable("holdfast.operation", operationId)) {
      for (int attempt = 1; ; attempt++) {
        try {
          return runner == null
              ? once(options, operationId, work, closing)
              : once(runner, options, operationId, work, closing);
        } catch (SQLException e) {
          if (!writer.isRetryable(e) || attempt >= options.attempts()) {
            throw writer.translate("run operation " + operationId, e);
          }
          log.debug("operation {}: attempt {} is run again", operationId, attempt, e);
          pause(backoff.next(), operationId, e);
        }
      }
    }
  }

  private <T extends @Nullable Object> T once(
      TransactionOptions options, String operationId, TransactionWork<T> work, Closing<T> closing)
      throws SQLException {
    Connection connection = open();
    int isolationBefore = -1;
    boolean clean = false;
    try {
      connection.setAutoCommit(false);
      int before = isolationByDefault;
      if (before < 0) {
        before = connection.getTransactionIsolation();
        isolationByDefault = before;
      }
      if (before != options.isolation().jdbcLevel()) {
        connection.setTransactionIsolation(options.isolation().jdbcLevel());
        isolationBefore = before;
      }
      BufferedTransaction tx = new BufferedTransaction(connection, operationId, listener);
      T result;
      List<Message> messages;
      try {
        result = work.run(tx);
      } finally {
        messages = tx.end();
      }
      try {
        closing.commit(connection, operationId, messages, result);
      } catch (SQLException e) {
        throw closed(operationId, closing, e);
      }
      clean = true;
      recorded(operationId, messages);
      tx.committed();
      return result;
    } finally {
      giveBack(connection, clean, isolationBefore);
    }
  }

  /** How far a transaction has come that somebody else ends. */
  private static final class Course {
    boolean begun;
    boolean done;
    List<Message> messages = List.of();
    Runnable committed = () -> {};
  }

  /**
   * In a transaction that somebody else begins and ends. The attempt is recorded in front of the
   * commit instead of with it, which says the same: it is there if and only if that is committed.
   */
  private <T extends @Nullable Object> T once(
      TransactionRunner by,
      TransactionOptions options,
      String operationId,
      TransactionWork<T> work,
      Closing<T> closing)
      throws SQLException {
    Course course = new Course();
    T result;
    try {
      result =
          by.run(
              options.isolation(),
              connection -> {
                course.begun = true;
                BufferedTransaction tx = new BufferedTransaction(connection, operationId, listener);
                T returned;
                try {
                  returned = work.run(tx);
                } finally {
                  course.messages = tx.end();
                }
                closing.record(connection, operationId, course.messages, returned);
                course.committed = tx::committed;
                course.done = true;
                return returned;
              });
    } catch (SQLException e) {
      if (!course.begun) {
        throw notBegun(e);
      }
      if (course.done && writer.isReplyLost(e)) {
        throw unknown(operationId, closing, e);
      }
      throw e;
    }
    recorded(operationId, course.messages);
    course.committed.run();
    return result;
  }

  private Connection open() {
    try {
      return dataSource.getConnection();
    } catch (SQLException e) {
      throw notBegun(e);
    }
  }

  private static StoreUnavailable notBegun(SQLException e) {
    return new StoreUnavailable(
        "No connection to the database could be had ("
            + e.getMessage()
            + "). Nothing was begun. Check that the server runs and that the pool is not"
            + " exhausted.",
        e);
  }

  private SQLException closed(String operationId, Closing<?> closing, SQLException e) {
    if (writer.isReplyLost(e)) {
      throw unknown(operationId, closing, e);
    }
    return e;
  }

  /** An attempt's row is there if and only if the transaction is committed. */
  private record Attempted<T extends @Nullable Object>(OutboxWriter writer, Attempt attempt)
      implements Closing<T> {
    @Override
    public void commit(Connection connection, String operationId, List<Message> messages, T result)
        throws SQLException {
      writer.commit(connection, attempt, operationId, messages);
    }

    @Override
    public void record(Connection connection, String operationId, List<Message> messages, T result)
        throws SQLException {
      writer.record(connection, attempt, operationId, messages);
    }

    @Override
    public Outcome resolve() {
      return writer.resolve(attempt);
    }
  }

  private OutcomeUnknown unknown(String operationId, Closing<?> closing, SQLException e) {
    return new OutcomeUnknown(
        "The connection failed while operation "
            + operationId
            + " was being committed: it is committed as a whole or not at all, and which is"
            + " not known. Ask resolve() before doing it again. Cause: "
            + e.getMessage(),
        operationId,
        e,
        closing::resolve);
  }

  private void recorded(String operationId, List<Message> messages) {
    if (!messages.isEmpty()) {
      listener.recorded(operationId, messages);
      committed.run();
    }
  }

  private static void giveBack(Connection connection, boolean clean, int isolationBefore) {
    try (connection) {
      if (!clean) {
        connection.rollback();
      }
      if (isolationBefore >= 0) {
        connection.setTransactionIsolation(isolationBefore);
      }
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      // The exception under way says more; a broken connection is discarded by its pool.
      log.debug("A connection was not given back cleanly", e);
    }
  }

  private static void pause(Duration wait, String operationId, SQLException cause) {
    try {
      new Doorbell().await(wait);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DatabaseFailure(
          "Interrupted before operation "
              + operationId
              + " was run again. It is rolled back; nothing was recorded.",
          cause);
    }
  }
}
