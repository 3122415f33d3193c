package dev.holdfast.postgres;

import dev.holdfast.outbox.store.OutboxRecord;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;

/** The columns of a message, as selected and read by the log and the parking alike. */
final class MessageRow {
  private static final OutboxRecord.Kind[] KINDS = OutboxRecord.Kind.values();

  private MessageRow() {}

  /** All but kind, which parked messages do not have. */
  static String columns(String alias) {
    return "#.position, #.id, #.topic, #.key, #.type, #.content_type, #.payload, #.headers, #.operation_id, #.recorded_at"
        .replace("#", alias);
  }

  /** What {@link #read} needs beside the columns; for the outermost select, where rows are few. */
  static String millis(String alias) {
    return "(date_part('epoch', " + alias + ".recorded_at) * 1000)::bigint as recorded_at_ms";
  }

  static OutboxRecord read(ResultSet row, int kind) throws SQLException {
    return new OutboxRecord(
        row.getLong("position"),
        KINDS[kind],
        row.getObject("id", UUID.class),
        row.getString("topic"),
        row.getString("key"),
        row.getString("type"),
        row.getString("content_type"),
        row.getBytes("payload"),
        Headers.fromJson(row.getString("headers")),
        row.getString("operation_id"),
        row.getLong("recorded_at_ms"));
  }
}
