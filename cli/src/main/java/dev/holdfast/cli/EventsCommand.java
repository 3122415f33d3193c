package dev.holdfast.cli;

import dev.holdfast.HoldfastException;
import dev.holdfast.eventlog.Holder;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.store.Head;
import dev.holdfast.projection.store.ProjectionStatus;
import dev.holdfast.twophase.store.Gid;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code holdfast events}: how far the event log is, whom readers wait for, and its streams. */
@Command(
    name = "events",
    description = "The event log: how far it is, whom its readers wait for, and what streams hold.")
public final class EventsCommand extends Group {
  private static final int MOST_LISTED = 10_000;

  /**
   * How far it is.
   *
   * @param passed the highest position that anybody who follows the log has passed
   */
  private record Seen(Head head, List<Holder> holders, long passed) {
    /** What is known to be settled: somebody has passed it, or would now. */
    long settled() {
      return Math.max(head.settled(), passed);
    }

    boolean isWaiting() {
      return settled() < head.drawn();
    }
  }

  @Command(
      name = "head",
      description = "Shows the last event, up to where readers read, and whom they wait for.")
  void head(@Mixin OutboxCommand.Common common) {
    Seen seen =
        common.database.withTables(
            store -> {
              Head head = store.events().head();
              List<Holder> holders = store.events().holders();
              long passed =
                  store.projections().statuses().stream()
                      .mapToLong(ProjectionStatus::checkpoint)
                      .max()
                      .orElse(0);
              return new Seen(head, holders, passed);
            });
    if (common.json) {
      out(Json.text(json(seen)));
      return;
    }
    Head head = seen.head();
    out(
        Table.of(
            List.of("mark", "position", ""),
            List.of(
                List.of("last drawn", Long.toString(head.drawn()), ""),
                List.of(
                    "last committed",
                    Long.toString(head.last()),
                    head.recordedAt() == null ? "" : "recorded at " + head.recordedAt()),
                List.of(
                    "settled",
                    Long.toString(seen.settled()),
                    seen.isWaiting() ? "at least; readers wait behind it" : "readers read all"))));
    if (!seen.holders().isEmpty()) {
      out("\n");
      out(
          Table.of(
              List.of("holder", "user", "application", "since", "if it does not end by itself"),
              seen.holders().stream().map(EventsCommand::row).toList()));
    }
  }

  private static Map<String, Object> json(Seen seen) {
    Head head = seen.head();
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("drawn", head.drawn());
    value.put("last", head.last());
    value.put("last_recorded_at", head.recordedAt() == null ? null : head.recordedAt().toString());
    value.put("settled", seen.settled());
    value.put("waiting", seen.isWaiting());
    value.put("holders", seen.holders().stream().map(EventsCommand::json).toList());
    return value;
  }

  private static String nameOf(Holder holder) {
    return holder.gid() == null
        ? "session " + holder.pid()
        : "prepared " + Printable.of(holder.gid());
  }

  private static List<String> row(Holder holder) {
    return List.of(
        nameOf(holder),
        shown(holder.user()),
        shown(holder.application()),
        holder.since() == null ? "-" : holder.since().toString(),
        remedy(holder));
  }

  private static Map<String, Object> json(Holder holder) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("pid", holder.pid());
    value.put("gid", holder.gid());
    value.put("user", holder.user());
    value.put("application", holder.application());
    value.put("since", holder.since() == null ? null : holder.since().toString());
    value.put("remedy", remedy(holder));
    return value;
  }

  private static String shown(@Nullable String text) {
    return text == null || text.isEmpty() ? "-" : Printable.of(text);
  }

  /** The one who prepared it may know what is to become of it; a session is only rolled back. */
  private static String remedy(Holder holder) {
    String gid = holder.gid();
    if (gid == null) {
      return "select pg_terminate_backend(" + holder.pid() + ");";
    }
    return Gid.parse(gid).isPresent()
        ? "holdfast recover"
        : "rollback prepared '%s'; -- or commit prepared".formatted(gid.replace("'", "''"));
  }

  @Command(name = "stream", description = "Shows a stream's last events, the newest at the end.")
  void stream(
      @Mixin OutboxCommand.Common common,
      @Parameters(paramLabel = "STREAM", description = "The stream's name.") String stream,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "100",
              description = "The last so many (default: ${DEFAULT-VALUE}).")
          int limit,
      @Option(
              names = "--bodies",
              description = "With data and metadata, which may be confidential.")
          boolean bodies) {
    Limit.check(limit, MOST_LISTED);
    List<RecordedEvent> events =
        new ArrayList<>(
            common.database.withTables(
                store -> store.events().read(StreamQuery.of(stream).latestFirst().limit(limit))));
    Collections.reverse(events);
    if (events.isEmpty()) {
      throw new HoldfastException(
          "There is no event in the stream '%s'. Check its name, which is told apart by case, and --schema."
              .formatted(Printable.of(stream)));
    }
    if (common.json) {
      out(
          Json.text(
              Map.of(
                  "stream",
                  stream,
                  "events",
                  events.stream().map(event -> json(event, bodies)).toList())));
      return;
    }
    List<String> header =
        new ArrayList<>(List.of("version", "position", "type", "recorded at", "operation"));
    if (bodies) {
      header.add("data");
    }
    out(Table.of(header, events.stream().map(event -> row(event, bodies)).toList()));
  }

  private static List<String> row(RecordedEvent event, boolean bodies) {
    List<String> row =
        new ArrayList<>(
            List.of(
                Long.toString(event.version()),
                Long.toString(event.position()),
                Printable.of(event.type()),
                event.recordedAt().toString(),
                Printable.of(event.operationId())));
    if (bodies) {
      String text = text(event);
      row.add(text == null ? "base64 " + base64(event) : Printable.of(text));
    }
    return row;
  }

  private static Map<String, Object> json(RecordedEvent event, boolean bodies) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("version", event.version());
    value.put("position", event.position());
    value.put("id", event.id().toString());
    value.put("type", event.type());
    value.put("schema_version", event.schemaVersion());
    value.put("content_type", event.contentType());
    value.put("recorded_at", event.recordedAt().toString());
    value.put("operation", event.operationId());
    if (bodies) {
      String text = text(event);
      value.put("metadata", event.metadata());
      value.put(text == null ? "data_base64" : "data", text == null ? base64(event) : text);
    }
    return value;
  }

  private static @Nullable String text(RecordedEvent event) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(event.data())).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  private static String base64(RecordedEvent event) {
    return Base64.getEncoder().encodeToString(event.data());
  }
}
