package dev.holdfast.twophase;

import dev.holdfast.Transaction;
import java.sql.SQLException;

/** As {@link AtomicWork}, without a result. */
@FunctionalInterface
public interface AtomicBody {
  /**
   * @param deciding the transaction in the database that decides
   * @param other the branch in the other
   */
  void run(Transaction deciding, Branch other) throws SQLException;
}
