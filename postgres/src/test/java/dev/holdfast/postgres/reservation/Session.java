package dev.holdfast.postgres.reservation;

import dev.holdfast.Holdfast;
import dev.holdfast.TransactionWork;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;

/** A transaction that a test leaves open, and ends as it likes. */
final class Session implements AutoCloseable {
  private final Stocks stocks;
  private final Connection connection;
  private final int pid;
  private boolean killed;

  Session(Stocks stocks) throws SQLException {
    this.stocks = stocks;
    this.connection = Stocks.dataSource().getConnection();
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
      row.next();
      pid = row.getInt(1);
    }
    connection.commit();
  }

  int pid() {
    return pid;
  }

  Connection connection() {
    return connection;
  }

  <T> T run(TransactionWork<T> work) {
    Holdfast holdfast = stocks.holdfast;
    return holdfast.join(connection, "session-" + pid, work);
  }

  /** The common pool has one thread on two processors, from JDK 25 on. */
  static final Executor THREADS = task -> new Thread(task, "session").start();

  /** Runs on a thread of its own, until it is done or waits for a lock. */
  <T> CompletableFuture<T> begin(TransactionWork<T> work) {
    CompletableFuture<T> result = CompletableFuture.supplyAsync(() -> run(work), THREADS);
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> result.isDone() || stocks.waits(pid));
    return result;
  }

  static <T> T result(CompletableFuture<T> work)
      throws InterruptedException, ExecutionException, TimeoutException {
    return work.get(30, TimeUnit.SECONDS);
  }

  void commit() throws SQLException {
    connection.commit();
  }

  void rollback() throws SQLException {
    connection.rollback();
  }

  /** Ends the session at the server, as a crash of its process does. */
  void kill() throws SQLException {
    // Not the function that waits by itself, which looks ten times a second.
    stocks.ask("select pg_terminate_backend(%d)::integer".formatted(pid));
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> stocks.ask("select count(*) from pg_stat_activity where pid = " + pid) == 0);
    killed = true;
  }

  @Override
  public void close() throws SQLException {
    if (killed) {
      // Which the pool finds out, too.
      Stocks.dataSource().evictConnection(connection);
      return;
    }
    connection.rollback();
    connection.setAutoCommit(true);
    connection.close();
  }
}
