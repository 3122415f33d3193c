package dev.holdfast.postgres;

import dev.holdfast.outbox.store.OutboxRecord;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The columns of a message, as selected and read by the log and the parking alike. A reader is for
 * one result: the texts that most of its messages have in common are one object each, whose hash is
 * made once and which is compared at a glance.
 */
final class MessageRow {
  private @Nullable String topic;
  private @Nullable String type;
  private @Nullable String contentType;
  private @Nullable String operationId;

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
  OutboxRecord read(ResultSet row, int first, OutboxRecord.Kind kind) throws SQLException {
    String readTopic = same(row.getString(first + 2), topic);
    String readType = same(row.getString(first + 4), type);
    String readContentType = same(row.getString(first + 5), contentType);
    String readOperationId = same(row.getString(first + 8), operationId);
    topic = readTopic;
    type = readType;
    contentType = readContentType;
    operationId = readOperationId;
    return new OutboxRecord(
        row.getLong(first),
        kind,
        row.getObject(first + 1, UUID.class),
        readTopic,
        row.getString(first + 3),
        readType,
        readContentType,
        row.getBytes(first + 6),
        Headers.fromJson(row.getString(first + 7)),
        readOperationId,
        row.getLong(first + 9));
  }

  /** The last text if it is the same. */
  private static String same(String text, @Nullable String last) {
    return last != null && last.equals(text) ? last : text;
  }
}
