package dev.holdfast;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Begins and ends transactions in Holdfast's place: for an adapter to a framework that has to begin
 * a transaction itself for its own parts to take part in it. See {@link Holdfast#transactingBy}.
 * Thread-safe.
 */
@FunctionalInterface
public interface TransactionRunner {

  /** What is done in the transaction. */
  @FunctionalInterface
  interface Work<T extends @Nullable Object> {
    /**
     * @param connection the transaction's, not in autocommit mode; not to be ended or kept
     */
    T run(Connection connection) throws SQLException;
  }

  /**
   * Begins a transaction of its own on this thread, whatever runs there already, has the work done
   * once, and commits. Returns if and only if it is committed.
   *
   * @throws SQLException what the work threw, rolled back; or what the database said to the begin
   *     or to the commit. Where it is open whether that has happened, one of class 08
   * @throws RuntimeException what the work threw, or why it was not committed; it is rolled back
   */
  <T extends @Nullable Object> T run(Isolation isolation, Work<T> work) throws SQLException;
}
