package dev.holdfast.cli.takeover;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.postgres.OldTable;
import dev.holdfast.postgres.OldTable.Part;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The table of Debezium's outbox event router. A row says nothing of whether it was delivered: that
 * is the replication slot's to say. So either every row waits, or none does.
 */
final class DebeziumTable {
  static final String NAME = "outboxevent";
  static final String TOPIC = "outbox.event.{type}";

  /** The router's fields, and the columns that it reads them from unless told otherwise. */
  private static final Map<String, String> FIELDS =
      Map.of(
          "id", "id",
          "key", "aggregateid",
          "type", "type",
          "payload", "payload",
          "route", "aggregatetype",
          "timestamp", "timestamp");

  private DebeziumTable() {}

  /**
   * @param columns names of columns for some of the fields
   * @param allRows whether what is in the table waits; otherwise the slot's reader delivers it
   */
  static OldTable of(
      TableShape table, Mapping mapping, Map<String, String> columns, boolean allRows) {
    Map<String, String> field = new LinkedHashMap<>(FIELDS);
    columns.forEach(
        (name, column) -> {
          if (field.put(name, column) == null) {
            throw new InvalidConfiguration(
                "--column %s is none of %s, so nothing was done."
                    .formatted(name, FIELDS.keySet().stream().sorted().toList()));
          }
        });
    String payload = named(field, "payload");
    String route = named(field, "route");
    String time = named(field, "timestamp");
    table.require(
        "Debezium's outbox event router",
        List.of(named(field, "id"), named(field, "key"), named(field, "type"), payload, route));
    boolean hasTime = table.has(time);
    if (allRows && !hasTime) {
      throw new InvalidConfiguration(
          "%s has no column %s, so nobody knows in which order its rows were written; nothing was done. Name a column that tells with --column timestamp=NAME; an identity column will do."
              .formatted(table.name(), time));
    }
    String id = named(field, "id");
    String type = table.text(named(field, "type"));
    return OldTable.named(table.name())
        .with(Part.ID, table.uuid(id))
        .with(Part.TOPIC, mapping.topicSql(table.text(route)))
        .with(Part.KEY, mapping.keySql(table.text(payload), table.text(named(field, "key"))))
        .with(Part.TYPE, type)
        .with(Part.CONTENT_TYPE, table.contentType(payload))
        .with(Part.PAYLOAD, table.bytes(payload))
        // What the router calls the event's id, so that consumers go on knowing repeats by it.
        .with(Part.HEADERS, "jsonb_build_object('id', %s)".formatted(table.text(id)))
        .with(Part.WRITTEN_AT, hasTime ? table.time(time) : "null::timestamptz")
        .with(Part.PENDING, mapping.onlySql(table.text(route)))
        .with(Part.ORDER, (hasTime ? table.column(time) + ", " : "") + table.column(id));
  }

  private static String named(Map<String, String> field, String name) {
    return String.valueOf(field.get(name));
  }
}
