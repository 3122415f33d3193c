package dev.holdfast;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * A running database transaction to which messages can be added. What is published is buffered and
 * written in one statement together with the commit; it exists exactly when the transaction does.
 *
 * <p>Valid only inside the callback that received it, on the thread that runs it.
 */
public interface Transaction {

  /**
   * The transaction's connection. Savepoints set and rolled back through it are honoured: messages
   * published after the savepoint are dropped with it. {@code commit}, {@code rollback()}, {@code
   * close} and {@code setAutoCommit} are refused, and so is {@code commit} and the like as SQL,
   * since the transaction is ended by whoever began it; to roll back, throw. What {@code unwrap}
   * gives is the driver's own, and is not watched.
   */
  Connection connection();

  /** The id that every record of this operation carries. */
  String operationId();

  /**
   * Adds a message to the transaction; nothing is sent to the database yet.
   *
   * @throws InvalidMessage when the message is over a bound; the transaction goes on without it
   */
  void publish(Message message);

  /**
   * Runs an update with positional parameters.
   *
   * @return the number of rows changed
   */
  int update(String sql, @Nullable Object... parameters) throws SQLException;

  /**
   * Runs an update that names the version it expects, as in {@code update account set balance = ?,
   * version = version + 1 where id = ? and version = ?}.
   *
   * @throws StaleVersion when no row was changed
   */
  default void updateExpected(String sql, @Nullable Object... parameters) throws SQLException {
    if (update(sql, parameters) == 0) {
      throw StaleVersion.of(sql);
    }
  }
}
