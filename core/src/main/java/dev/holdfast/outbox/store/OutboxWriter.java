package dev.holdfast.outbox.store;

import dev.holdfast.Message;
import dev.holdfast.boundary.Outcome;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** Records messages on the caller's connection, inside the caller's transaction. */
public interface OutboxWriter {

  /**
   * Records messages in the caller's transaction, in one round trip however many they are: locks
   * their keys, then draws their positions.
   *
   * @throws dev.holdfast.NoTransaction when the connection is in autocommit mode or closed
   * @throws dev.holdfast.UnroutedTopic when no channel takes a topic; the transaction is aborted
   */
  void publish(Connection connection, String operationId, List<Message> messages)
      throws SQLException;

  /**
   * Records the messages and the attempt and commits, all in one round trip. Leaves no row behind
   * for a transaction that changed nothing and publishes nothing.
   *
   * @throws SQLException when the commit failed, or its reply was lost; {@link #isReplyLost} tells
   */
  void commit(Connection connection, Attempt attempt, String operationId, List<Message> messages)
      throws SQLException;

  /**
   * Records the messages and the attempt in the transaction of somebody who commits it behind this,
   * in one round trip. Leaves the attempt's row in any case: what is yet to be changed in front of
   * the commit is not known here.
   */
  void record(Connection connection, Attempt attempt, String operationId, List<Message> messages)
      throws SQLException;

  /** Whether an error while committing leaves open whether the transaction is committed. */
  boolean isReplyLost(SQLException error);

  /** Whether the whole transaction may be run again: a serialization failure or a deadlock. */
  boolean isRetryable(SQLException error);

  /**
   * Turns an error of the database into the exception a caller can act on.
   *
   * @param doing what was being attempted, as in {@code "record 3 messages"}
   */
  RuntimeException translate(String doing, SQLException error);

  /** See {@link dev.holdfast.OutcomeUnknown#resolve()}. */
  Outcome resolve(Attempt attempt);
}
