package dev.holdfast.cli.takeover;

import dev.holdfast.postgres.OldTable;
import dev.holdfast.postgres.OldTable.Part;
import java.util.List;

/**
 * gruelbox's {@code TXNO_OUTBOX}: a row is a method call that is still to be made, unless it is
 * {@code processed}. With the columns {@code topic} and {@code seq} (version 5 and later), rows of
 * a topic other than {@code *} are ordered.
 */
final class GruelboxTable {
  static final String NAME = "txno_outbox";
  static final String TOPIC = "gruelbox.{type}";
  private static final String ALL = "%";

  private GruelboxTable() {}

  static OldTable of(TableShape table, Mapping mapping, boolean blockedToo) {
    table.require(
        "gruelbox's transaction outbox",
        List.of(
            "id",
            "invocation",
            "nextattempttime",
            "blocked",
            "processed",
            "uniquerequestid",
            "version"));
    boolean ordered = table.has("topic") && table.has("seq");
    String call = "(r.invocation::jsonb)";
    String type = "(%1$s ->> 'c') || '.' || (%1$s ->> 'm')".formatted(call);
    String own = ordered ? "nullif(r.topic, '*')" : "null::text";
    String open = "coalesce(r.processed, false) = false";
    // Only read when the filter needs it, since the filter is evaluated for every row.
    String chosen = mapping.only().equals(ALL) ? open : open + " and " + mapping.onlySql(type);
    String free = "coalesce(r.blocked, false) = false";
    String behind = ordered ? notBehindABlockedRow(table) : "true";
    String pending = blockedToo ? chosen : chosen + " and " + free + " and " + behind;
    return OldTable.named(table.name())
        .with(Part.ID, table.uuid("id"))
        .with(Part.TOPIC, mapping.topicSql(type))
        .with(Part.KEY, mapping.keySql("r.invocation", own))
        .with(Part.TYPE, type)
        .with(Part.PAYLOAD, table.bytes("invocation"))
        .with(Part.DEDUPE_KEY, "nullif(r.uniquerequestid, '')")
        .with(Part.WRITTEN_AT, "null::timestamptz")
        .with(Part.PENDING, pending)
        .with(
            Part.LEFT,
            "case when not (%s) then null when not (%s) then 'blocked' when not (%s) then 'behind a blocked row of its topic' end"
                .formatted(chosen, free, behind))
        .with(
            Part.ORDER,
            ordered
                ? "nullif(r.topic, '*'), r.seq, r.nextattempttime, r.id"
                : "r.nextattempttime, r.id")
        // As gruelbox leaves a row that it has processed and must remember: it cleans up itself. A
        // relay that has read the row before finds another version, and leaves it.
        .marking("processed", "true")
        .marking("version", "r.version + 1")
        .marking(
            "nextattempttime",
            "greatest(r.nextattempttime, localtimestamp)"
                + " + case when r.uniquerequestid is null then interval '0' else interval '7 days' end");
  }

  private static String notBehindABlockedRow(TableShape table) {
    return "(r.topic = '*' or not exists (select from %s b where b.topic = r.topic and b.seq < r.seq and b.blocked and not coalesce(b.processed, false)))"
        .formatted(table.name());
  }
}
