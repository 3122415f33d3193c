package dev.holdfast.cli.takeover;

import static dev.holdfast.cli.takeover.TableShape.literal;

import dev.holdfast.postgres.OldTable;
import dev.holdfast.postgres.OldTable.Part;
import java.time.Duration;
import java.util.List;

/**
 * Spring Modulith's {@code event_publication}: a row is one event for one listener. Those of the
 * listener that externalizes become messages; others are calls within the application and stay with
 * it.
 */
final class ModulithTable {
  static final String NAME = "event_publication";
  static final String TOPIC = "{type}";

  /** {@code DelegatingEventExternalizer}, and {@code EventExternalizerModuleListener} of 2.1. */
  static final String LISTENER = "org.springframework.modulith.events.support.%.externalize(%";

  private ModulithTable() {}

  static OldTable of(TableShape table, Mapping mapping, String listener, Duration settle) {
    table.require(
        "Spring Modulith's event publications",
        List.of(
            "id",
            "listener_id",
            "event_type",
            "serialized_event",
            "publication_date",
            "completion_date"));
    boolean hasStatus = table.has("status");
    String open =
        hasStatus
            ? "case when r.status is null then r.completion_date is null else r.status <> 'COMPLETED' end"
            : "r.completion_date is null";
    String touched =
        table.has("last_resubmission_date")
            ? "greatest(r.publication_date, r.last_resubmission_date)"
            : "r.publication_date";
    String ours = "r.listener_id like " + literal(listener);
    String chosen = "(%s) and %s".formatted(open, mapping.onlySql("r.event_type"));
    String settled =
        "%s < clock_timestamp() - interval '%d milliseconds'".formatted(touched, settle.toMillis());
    OldTable described =
        OldTable.named(table.name())
            .with(Part.ID, table.uuid("id"))
            .with(Part.TOPIC, mapping.topicSql("r.event_type"))
            .with(Part.KEY, mapping.keySql("r.serialized_event", "null::text"))
            .with(Part.TYPE, "r.event_type")
            .with(Part.PAYLOAD, table.bytes("serialized_event"))
            .with(Part.WRITTEN_AT, table.time("publication_date"))
            .with(Part.PENDING, "%s and %s and %s".formatted(chosen, ours, settled))
            .with(
                Part.LEFT,
                "case when not (%s) then null when not (%s) then 'of another listener: ' || r.listener_id when not (%s) then 'published a moment ago: it may be under way' end"
                    .formatted(chosen, ours, settled))
            .with(Part.ORDER, "r.publication_date, r.id")
            .marking("completion_date", "clock_timestamp()");
    return hasStatus ? described.marking("status", "'COMPLETED'") : described;
  }
}
