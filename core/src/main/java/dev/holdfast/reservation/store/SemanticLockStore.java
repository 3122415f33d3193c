package dev.holdfast.reservation.store;

import dev.holdfast.reservation.LockResult;
import dev.holdfast.reservation.SemanticLock;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Semantic locks in a database, in the caller's transaction, in one round trip each, as {@link
 * dev.holdfast.reservation.SemanticLocks} says. Throws {@link dev.holdfast.NoTransaction} when
 * there is none. Thread-safe.
 */
public interface SemanticLockStore {

  LockResult acquire(
      Connection connection, String name, String owner, Duration forAtMost, String operationId)
      throws SQLException;

  /** Whether it is held still; then it stays so until the transaction is over. */
  boolean require(Connection connection, SemanticLock lock) throws SQLException;

  /**
   * @return until when; empty when it is not held any more
   */
  Optional<Instant> renew(Connection connection, SemanticLock lock, Duration forAtMost)
      throws SQLException;

  /** Whether it was held still. */
  boolean release(Connection connection, SemanticLock lock) throws SQLException;
}
