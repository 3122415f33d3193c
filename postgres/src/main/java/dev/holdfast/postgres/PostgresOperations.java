package dev.holdfast.postgres;

import dev.holdfast.outbox.store.OperationEvent;
import dev.holdfast.outbox.store.OperationLog;
import java.sql.Timestamp;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Asks the view {@code operation_event}. */
final class PostgresOperations implements OperationLog {
  /** Takes no locks that conflict with writers; any isolation level would do. */
  private static final String EVENTS =
      """
      select operation_id, at, boundary, what, state, owed_by, detail, message_id, position, channel
      from ${schema}.operation_event where operation_id = ?
      order by step = 5, position nulls first, message_id nulls first, step, at, channel limit ?
      """;

  private final Database database;

  PostgresOperations(Database database) {
    this.database = database;
  }

  @Override
  public List<OperationEvent> of(String operationId, int limit) {
    return database.transact(
        "look for operation " + operationId,
        connection ->
            database.many(
                connection,
                EVENTS,
                row -> {
                  @Nullable Timestamp at = row.getTimestamp("at");
                  long position = row.getLong("position");
                  @Nullable Long known = row.wasNull() ? null : position;
                  return new OperationEvent(
                      row.getString("operation_id"),
                      at == null ? null : at.toInstant(),
                      row.getString("boundary"),
                      row.getString("what"),
                      OperationEvent.State.valueOf(row.getString("state")),
                      row.getString("owed_by"),
                      row.getString("detail"),
                      row.getObject("message_id", UUID.class),
                      known,
                      row.getString("channel"));
                },
                operationId,
                limit));
  }
}
