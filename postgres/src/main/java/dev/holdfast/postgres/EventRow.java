package dev.holdfast.postgres;

import dev.holdfast.eventlog.RecordedEvent;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;

/** The columns of an event, as selected and read. */
final class EventRow {
  static final String COLUMNS =
      "e.position, e.stream, e.version, e.event_id, e.type, e.schema_version, e.content_type, e.data, e.metadata, e.operation_id, e.recorded_at";

  private EventRow() {}

  static RecordedEvent read(ResultSet row) throws SQLException {
    return new RecordedEvent(
        row.getLong(1),
        row.getString(2),
        row.getLong(3),
        row.getObject(4, UUID.class),
        row.getString(5),
        row.getInt(6),
        row.getString(7),
        row.getBytes(8),
        Headers.fromJson(row.getString(9)),
        row.getString(10),
        row.getTimestamp(11).toInstant());
  }
}
