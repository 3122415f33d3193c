package dev.holdfast;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * What runs inside a transaction and returns a result. It may run several times, when the database
 * reports a serialization failure or a deadlock, so that all its effects belong into the
 * transaction.
 *
 * @param <T> the result's type
 */
@FunctionalInterface
public interface TransactionWork<T extends @Nullable Object> {
  T run(Transaction tx) throws SQLException;
}
