package dev.holdfast.postgres;

import dev.holdfast.outbox.store.OutboxRecord;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;

/** The columns of a message, as selected and read by the log and the parking alike. */
final class MessageRow {
  private MessageRow() {}

  /** All but kind, which parked messages do not have. */
  static String columns(String alias) {
    return "#.position, #.id, #.topic, #.key, #.type, #.content_type, #.payload, #.headers, #.operation_id, #.recorded_at"
        .replace("#", alias);
  }

  /**
   * The select list of an outermost query, in the order that {@link #read} expects; by number and
   * not by name, since a drained backlog reads these columns more than anything else.
   */
  static String output(String alias) {
    return "#.position, #.id, #.topic, #.key, #.type, #.content_type, #.payload, #.headers, #.operation_id, (date_part('epoch', #.recorded_at) * 1000)::bigint"
        .replace("#", alias);
  }

  /**
   * @param first the number of the first column of {@link #output}
   */
  static OutboxRecord read(ResultSet row, int first, OutboxRecord.Kind kind) throws SQLException {
    return new OutboxRecord(
        row.getLong(first),
        kind,
        row.getObject(first + 1, UUID.class),
        row.getString(first + 2),
        row.getString(first + 3),
        row.getString(first + 4),
        row.getString(first + 5),
        row.getBytes(first + 6),
        Headers.fromJson(row.getString(first + 7)),
        row.getString(first + 8),
        row.getLong(first + 9));
  }
}
