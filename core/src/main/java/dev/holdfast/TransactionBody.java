package dev.holdfast;

import java.sql.SQLException;

/**
 * What runs inside a transaction. It may run several times, when the database reports a
 * serialization failure or a deadlock, so that all its effects belong into the transaction.
 */
@FunctionalInterface
public interface TransactionBody {
  void run(Transaction tx) throws SQLException;
}
