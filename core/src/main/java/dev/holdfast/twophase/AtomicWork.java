package dev.holdfast.twophase;

import dev.holdfast.Transaction;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * What is done in two databases as one. It may run several times: when a database reports a
 * serialization failure or a deadlock, or a lock is not had in time.
 *
 * @param <T> the result's type
 */
@FunctionalInterface
public interface AtomicWork<T extends @Nullable Object> {
  /**
   * @param deciding the transaction in the database that decides
   * @param other the branch in the other
   */
  T run(Transaction deciding, Branch other) throws SQLException;
}
