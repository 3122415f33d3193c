package dev.holdfast.postgres;

import dev.holdfast.eventlog.Imported;
import dev.holdfast.eventlog.ImportedEvent;
import dev.holdfast.eventlog.InvalidEvent;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * A batch of an import, by COPY, which takes the table's lock before it draws positions as an
 * insert does. What is there is left out before; what comes to be there meanwhile violates an
 * index, and the batch is rolled back.
 */
final class EventImport {
  private static final HexFormat HEX = HexFormat.of();

  private static final String COPY =
      "copy ${schema}.event (stream, version, event_id, type, schema_version, content_type, data, metadata, operation_id, recorded_at) from stdin";

  private static final String LAST =
      """
      select s.stream, l.version, l.recorded_at from unnest(?) as s(stream), lateral (
        select e.version, e.recorded_at from ${schema}.event e
        where e.stream = s.stream order by e.version desc limit 1) as l
      """;

  private static final String TAGS =
      """
      insert into ${schema}.event_tag (tag, position)
      select t.tag, e.position from unnest(?, ?) as t(id, tag) join ${schema}.event e on e.event_id = t.id
      """;

  private final Database database;
  private final Connection connection;

  EventImport(Database database, Connection connection) {
    this.database = database;
    this.connection = connection;
  }

  /** Where a stream is. */
  private record End(long version, Instant recordedAt) {}

  Imported load(List<ImportedEvent> batch) throws SQLException {
    // Instead of all tags: those who append on a condition share it.
    database.call(connection, "select pg_advisory_xact_lock(1213156423, 1024)");
    Set<UUID> known = known(batch);
    List<ImportedEvent> fresh =
        batch.stream().filter(each -> !known.contains(each.event().id())).toList();
    if (fresh.isEmpty()) {
      return new Imported(0, batch.size());
    }
    requireSequel(fresh);
    requireSize(fresh);
    copy(fresh);
    tag(fresh);
    return new Imported(fresh.size(), batch.size() - fresh.size());
  }

  private Set<UUID> known(List<ImportedEvent> batch) throws SQLException {
    UUID[] ids = batch.stream().map(each -> each.event().id()).toArray(UUID[]::new);
    return new HashSet<>(
        database.many(
            connection,
            "select event_id from ${schema}.event_all where event_id = any (?)",
            row -> row.getObject(1, UUID.class),
            connection.createArrayOf("uuid", ids)));
  }

  private void requireSequel(List<ImportedEvent> events) throws SQLException {
    String[] streams = events.stream().map(ImportedEvent::stream).distinct().toArray(String[]::new);
    Map<String, End> ends = new HashMap<>();
    try (PreparedStatement statement =
        database.prepare(connection, LAST, connection.createArrayOf("text", streams))) {
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          ends.put(rows.getString(1), new End(rows.getLong(2), rows.getTimestamp(3).toInstant()));
        }
      }
    }
    for (ImportedEvent event : events) {
      End end = ends.getOrDefault(event.stream(), new End(0, Instant.MIN));
      if (event.version() != end.version() + 1 || event.recordedAt().isBefore(end.recordedAt())) {
        throw new InvalidEvent(
            "The stream %s is at version %d of %s, and the event to be imported is version %d of %s, which does not follow it. This batch was not imported, those before it were. Import streams from their beginning, in their order."
                .formatted(
                    event.stream(),
                    end.version(),
                    end.version() == 0 ? "no time" : end.recordedAt(),
                    event.version(),
                    event.recordedAt()));
      }
      ends.put(event.stream(), new End(event.version(), event.recordedAt()));
    }
  }

  private void requireSize(List<ImportedEvent> events) throws SQLException {
    int bound =
        database
            .one(connection, "select max_payload_bytes from ${schema}.store", row -> row.getInt(1))
            .orElseThrow();
    for (ImportedEvent event : events) {
      if (event.event().data().length > bound) {
        throw new InvalidEvent(
            "Version %d of stream %s has %d bytes, over the store's bound of %d. This batch was not imported, those before it were. Raise max_payload_bytes."
                .formatted(event.version(), event.stream(), event.event().data().length, bound));
      }
    }
  }

  private void copy(List<ImportedEvent> events) throws SQLException {
    StringBuilder rows = new StringBuilder(events.size() * 300);
    for (ImportedEvent each : events) {
      field(rows, each.stream());
      field(rows, Long.toString(each.version()));
      field(rows, each.event().id().toString());
      field(rows, each.event().type());
      field(rows, Integer.toString(each.event().schemaVersion()));
      field(rows, each.event().contentType());
      field(rows, "\\x" + HEX.formatHex(each.event().data()));
      field(
          rows, each.event().metadata().isEmpty() ? null : Headers.toJson(each.event().metadata()));
      field(rows, each.operationId());
      field(rows, each.recordedAt().toString());
      rows.setCharAt(rows.length() - 1, '\n');
    }
    byte[] bytes = rows.toString().getBytes(StandardCharsets.UTF_8);
    try {
      connection
          .unwrap(PGConnection.class)
          .getCopyAPI()
          .copyIn(database.schema().in(COPY), new ByteArrayInputStream(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** In the text format of COPY (PostgreSQL manual, COPY, file formats), with a tab behind it. */
  private static void field(StringBuilder rows, @Nullable String value) {
    if (value == null) {
      rows.append("\\N\t");
      return;
    }
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '\\' -> rows.append("\\\\");
        case '\t' -> rows.append("\\t");
        case '\n' -> rows.append("\\n");
        case '\r' -> rows.append("\\r");
        default -> rows.append(c);
      }
    }
    rows.append('\t');
  }

  private void tag(List<ImportedEvent> events) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    List<String> tags = new ArrayList<>();
    for (ImportedEvent each : events) {
      for (String tag : each.event().tags()) {
        ids.add(each.event().id());
        tags.add(tag);
      }
    }
    if (!ids.isEmpty()) {
      database.update(
          connection,
          TAGS,
          connection.createArrayOf("uuid", ids.toArray()),
          connection.createArrayOf("text", tags.toArray()));
    }
  }
}
