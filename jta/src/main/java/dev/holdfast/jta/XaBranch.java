package dev.holdfast.jta;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * A database's part of a transaction. Valid on the thread that began the transaction, and until it
 * ends.
 */
public interface XaBranch {
  /**
   * The branch's connection. {@code commit}, {@code rollback()}, {@code close}, {@code
   * setAutoCommit}, {@code abort} and {@code setReadOnly(true)} are refused: the transaction ends
   * in all its places at once. Messages may be published on it.
   */
  Connection connection();

  /**
   * Runs an update with positional parameters.
   *
   * @return the number of rows changed
   */
  int update(String sql, @Nullable Object... parameters) throws SQLException;
}
