package dev.holdfast.internal.transaction;

import dev.holdfast.Message;
import dev.holdfast.boundary.Outcome;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a transaction is ended once its work has returned: with a row in its own commit, by which it
 * can be found out whether it is committed when the reply is lost. One for each operation.
 *
 * @param <T> what the work returned
 */
public interface Closing<T extends @Nullable Object> {

  /** Records and commits, in one round trip. */
  void commit(Connection connection, String operationId, List<Message> messages, T result)
      throws SQLException;

  /** Records, for somebody who commits behind this. */
  void record(Connection connection, String operationId, List<Message> messages, T result)
      throws SQLException;

  /** What became of it. */
  Outcome resolve();
}
