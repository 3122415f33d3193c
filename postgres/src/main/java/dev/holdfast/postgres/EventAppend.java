package dev.holdfast.postgres;

import dev.holdfast.HoldfastException;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import dev.holdfast.eventlog.Condition;
import dev.holdfast.eventlog.ConditionFailed;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventIdReused;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.InvalidEvent;
import dev.holdfast.eventlog.WrongExpectedVersion;
import dev.holdfast.eventlog.store.LoneAppend;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Calls the functions of the migration {@code eventlog} that append, where the protocol is. */
final class EventAppend {
  private static final String COLUMNS =
      "select o_answer, o_stream, o_version, o_position, o_event from ";

  private static final String APPEND =
      COLUMNS + "${schema}.append_events(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

  private static final String APPEND_IF =
      COLUMNS + "${schema}.append_events_if(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

  private static final String TOGETHER =
      COLUMNS.replace(" from ", ", o_append from ")
          + "${schema}.append_together(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

  private final Append append;
  private final List<EventData> events = new ArrayList<>();
  private final List<Integer> streams = new ArrayList<>();

  EventAppend(Append append) {
    this.append = append;
    int stream = 0;
    for (Append.Part part : append.parts()) {
      stream++;
      for (EventData event : part.events()) {
        events.add(event);
        streams.add(stream);
      }
    }
  }

  Appended run(Database database, Connection connection, String operationId) throws SQLException {
    Condition condition = append.condition();
    String sql = condition == null ? APPEND : APPEND_IF;
    try (PreparedStatement statement = connection.prepareStatement(database.schema().in(sql))) {
      bind(connection, statement, operationId);
      if (condition != null) {
        new EventMatch(condition.query()).bind(connection, statement, 13);
        statement.setLong(17, condition.since());
        statement.setArray(
            18, connection.createArrayOf("bigint", condition.seen().toArray(Long[]::new)));
      }
      try (ResultSet rows = statement.executeQuery()) {
        return answer(rows);
      }
    }
  }

  private void bind(Connection connection, PreparedStatement statement, String operationId)
      throws SQLException {
    statement.setArray(
        1, array(connection, "text", append.parts().stream().map(Append.Part::stream).toArray()));
    statement.setArray(
        2,
        array(
            connection,
            "bigint",
            append.parts().stream().map(part -> expected(part.expected())).toArray()));
    statement.setArray(3, array(connection, "integer", streams.toArray()));
    bind(connection, statement, 4, events);
    statement.setString(12, operationId);
  }

  /**
   * @param first the index of the first of eight parameters: the events' columns, and which of them
   *     has which tag
   */
  private static void bind(
      Connection connection, PreparedStatement statement, int first, List<EventData> events)
      throws SQLException {
    statement.setArray(first, array(connection, "uuid", each(events, EventData::id)));
    statement.setArray(first + 1, array(connection, "text", each(events, EventData::type)));
    statement.setArray(
        first + 2, array(connection, "integer", each(events, EventData::schemaVersion)));
    statement.setArray(first + 3, array(connection, "text", each(events, EventData::contentType)));
    statement.setArray(
        first + 4,
        connection.createArrayOf(
            "bytea", events.stream().map(EventData::data).toArray(byte[][]::new)));
    statement.setArray(
        first + 5,
        array(
            connection,
            "text",
            each(
                events,
                event -> event.metadata().isEmpty() ? null : Headers.toJson(event.metadata()))));
    List<Integer> tagged = new ArrayList<>();
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < events.size(); i++) {
      for (String tag : events.get(i).tags()) {
        tagged.add(i + 1);
        tags.add(tag);
      }
    }
    if (tags.isEmpty()) {
      statement.setNull(first + 6, java.sql.Types.ARRAY, "_int4");
      statement.setNull(first + 7, java.sql.Types.ARRAY, "_text");
    } else {
      statement.setArray(first + 6, array(connection, "integer", tagged.toArray()));
      statement.setArray(first + 7, array(connection, "text", tags.toArray()));
    }
  }

  /** A part of an event. */
  @FunctionalInterface
  private interface Part {
    @Nullable Object of(EventData event);
  }

  private static @Nullable Object[] each(List<EventData> events, Part part) {
    return events.stream().map(part::of).toArray();
  }

  private static java.sql.Array array(
      Connection connection, String type, @Nullable Object[] elements) throws SQLException {
    return connection.createArrayOf(type, elements);
  }

  private static @Nullable Long expected(ExpectedVersion version) {
    return version instanceof ExpectedVersion.Exactly exactly ? exactly.version() : null;
  }

  private Appended answer(ResultSet rows) throws SQLException {
    List<Appended.Place> places = new ArrayList<>();
    String answer = "";
    while (rows.next()) {
      answer = rows.getString(1);
      places.add(place(answer, rows));
    }
    return new Appended(places, answer.equals("REPEATED"));
  }

  /** Where an event is, in a row of {@link #COLUMNS}; or what it was refused for. */
  private Appended.Place place(String answer, ResultSet row) throws SQLException {
    switch (answer) {
      case "APPENDED", "REPEATED" -> {
        return new Appended.Place(row.getString(2), row.getLong(3), row.getLong(4));
      }
      case "VERSION" -> throw wrongVersion(row.getString(2), row.getLong(3));
      case "CONDITION" ->
          throw new ConditionFailed(row.getString(2), row.getLong(3), row.getLong(4));
      case "TOO_LARGE" ->
          throw new InvalidEvent(
              "An event has %d bytes, over the store's bound of %d, so nothing was appended. Store it elsewhere and append a reference, or raise max_payload_bytes."
                  .formatted(row.getLong(3), row.getLong(4)));
      case "OTHER", "PARTLY" -> throw reused(answer, row);
      default -> throw new IllegalStateException("append_events answered " + answer);
    }
  }

  /** Appends all in one statement, and answers in them when it is committed. */
  static void runTogether(Database database, Connection connection, List<LoneAppend> appends)
      throws SQLException {
    List<EventAppend> prepared = new ArrayList<>();
    for (LoneAppend lone : appends) {
      prepared.add(new EventAppend(lone.append()));
    }
    try (PreparedStatement statement =
        connection.prepareStatement(database.schema().in(TOGETHER))) {
      bind(connection, statement, appends, prepared);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          int number = rows.getInt(6) - 1;
          String answer = rows.getString(1);
          LoneAppend lone = appends.get(number);
          try {
            lone.answer(
                new Appended(
                    List.of(prepared.get(number).place(answer, rows)), answer.equals("REPEATED")));
          } catch (HoldfastException e) {
            lone.refuse(e);
          }
        }
      }
    }
  }

  private static void bind(
      Connection connection,
      PreparedStatement statement,
      List<LoneAppend> appends,
      List<EventAppend> prepared)
      throws SQLException {
    List<EventData> events = prepared.stream().map(each -> each.events.get(0)).toList();
    List<Append.Part> parts = appends.stream().map(lone -> lone.append().parts().get(0)).toList();
    statement.setArray(
        1, array(connection, "text", parts.stream().map(Append.Part::stream).toArray()));
    statement.setArray(
        2,
        array(
            connection, "bigint", parts.stream().map(part -> expected(part.expected())).toArray()));
    bind(connection, statement, 3, events);
    statement.setArray(
        11, array(connection, "text", appends.stream().map(LoneAppend::operationId).toArray()));
  }

  private static EventIdReused reused(String answer, ResultSet row) throws SQLException {
    UUID id = row.getObject(5, UUID.class);
    String where =
        "version %d of stream %s, at position %d"
            .formatted(row.getLong(3), row.getString(2), row.getLong(4));
    return new EventIdReused(
        answer.equals("OTHER")
            ? "The event %s is there already, with another stream, type, body or tags: %s. Nothing was appended. Give another event another id."
                .formatted(id, where)
            : "The event %s was appended before, without others that it is appended with now: %s. Nothing was appended. Append the others alone, or all of them under new ids."
                .formatted(id, where),
        id);
  }

  private WrongExpectedVersion wrongVersion(String stream, long actual) {
    for (Append.Part part : append.parts()) {
      if (part.stream().equals(stream)
          && part.expected() instanceof ExpectedVersion.Exactly exactly) {
        return new WrongExpectedVersion(stream, exactly.version(), actual);
      }
    }
    throw new IllegalStateException("append_events answered VERSION for " + stream);
  }

  /** A query, as the functions take it. */
  record EventMatch(EventQuery query) {

    /**
     * @param first the index of the first of four parameters
     */
    void bind(Connection connection, PreparedStatement statement, int first) throws SQLException {
      List<Integer> tagItems = new ArrayList<>();
      List<String> tags = new ArrayList<>();
      List<Integer> typeItems = new ArrayList<>();
      List<String> types = new ArrayList<>();
      for (int i = 0; i < query.items().size(); i++) {
        for (String tag : query.items().get(i).tags()) {
          tagItems.add(i + 1);
          tags.add(tag);
        }
        for (String type : query.items().get(i).types()) {
          typeItems.add(i + 1);
          types.add(type);
        }
      }
      statement.setArray(first, array(connection, "integer", tagItems.toArray()));
      statement.setArray(first + 1, array(connection, "text", tags.toArray()));
      statement.setArray(first + 2, array(connection, "integer", typeItems.toArray()));
      statement.setArray(first + 3, array(connection, "text", types.toArray()));
    }
  }
}
