package dev.holdfast.inbox;

import dev.holdfast.Transaction;
import java.sql.SQLException;

/**
 * Handles a message inside a transaction. All its effects belong there: it may run again, after a
 * serialization failure, a deadlock or a crash, and then nothing is left of the run before.
 */
@FunctionalInterface
public interface InboxHandler {
  /**
   * @return what to answer, now and when the message comes again; {@link Reply#NONE} for nothing
   */
  Reply handle(Transaction tx) throws SQLException;
}
