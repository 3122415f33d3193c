package dev.holdfast.twophase;

import dev.holdfast.StaleVersion;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * The part of an operation that happens in another database than the one that decides. Nothing is
 * begun there before its first use.
 *
 * <p>Valid only inside the callback that received it, on the thread that runs it.
 */
public interface Branch {

  /**
   * The branch's connection. {@code commit}, {@code rollback()}, {@code close} and {@code
   * setAutoCommit} are refused, since it is ended with the operation; to roll back, throw. What
   * cannot be prepared (PostgreSQL: NOTIFY, temporary tables, cursors that are held) fails when the
   * callback has returned, and everything is rolled back.
   *
   * @throws dev.holdfast.StoreUnavailable when no connection to it can be had
   */
  Connection connection() throws SQLException;

  /** The id that every record of this operation carries. */
  String operationId();

  /**
   * Runs an update with positional parameters.
   *
   * @return the number of rows changed
   */
  int update(String sql, @Nullable Object... parameters) throws SQLException;

  /**
   * Runs an update that names the version it expects; see {@link
   * dev.holdfast.Transaction#updateExpected}.
   *
   * @throws StaleVersion when no row was changed
   */
  void updateExpected(String sql, @Nullable Object... parameters) throws SQLException;
}
