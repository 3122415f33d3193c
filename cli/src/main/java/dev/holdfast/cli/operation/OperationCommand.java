package dev.holdfast.cli.operation;

import dev.holdfast.HoldfastException;
import dev.holdfast.cli.DatabaseOptions;
import dev.holdfast.cli.Json;
import dev.holdfast.cli.Limit;
import dev.holdfast.cli.Table;
import dev.holdfast.outbox.store.OperationEvent;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code holdfast operation ID}. */
@Command(
    name = "operation",
    description = {
      "Shows what an operation did at every boundary, in order, which consumers of this database have"
          + " received of it, and what is still owed and by whom.",
      "Deliveries are told by the database's copy of the progress, about a second behind."
    })
public final class OperationCommand implements Runnable {
  private static final int MOST = 100_000;
  private static final String CONSUMER = "consumer ";
  private static final String WORKFLOW = "workflow ";

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Mixin private DatabaseOptions database = new DatabaseOptions();

  @Parameters(paramLabel = "ID", description = "The operation's id, as ce_operationid carries it.")
  @SuppressWarnings("NullAway.Init")
  private String id;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "1000",
      description = "At most so many events (default: ${DEFAULT-VALUE}).")
  private int limit;

  @Option(names = "--json", description = "Prints JSON.")
  private boolean json;

  @Override
  public void run() {
    Limit.check(limit, MOST);
    // One more than asked for tells whether there are more.
    List<OperationEvent> found = database.withTables(store -> store.operations().of(id, limit + 1));
    if (found.isEmpty()) {
      throw new HoldfastException(
          "Nothing is known of operation %s, or nothing any more: what is delivered is kept for the outbox's retention, what is received for the inbox's, and a commit's own record for an hour or more. Check the id, and --schema; a consumer's records carry it as ce_operationid."
              .formatted(id));
    }
    boolean more = found.size() > limit;
    List<OperationEvent> events = more ? found.subList(0, limit) : found;
    out(json ? Json.text(json(events, more)) : text(events, more));
  }

  private void out(String text) {
    spec.commandLine().getOut().print(text);
    spec.commandLine().getOut().flush();
  }

  private String text(List<OperationEvent> events, boolean more) {
    StringBuilder text = new StringBuilder();
    text.append(
        Table.of(
            List.of("at", "boundary", "what", "state", "detail"),
            events.stream().map(OperationCommand::row).toList()));
    if (more) {
      text.append("There are more; --limit shows them.\n");
    }
    List<OperationEvent> owed = events.stream().filter(OperationEvent::isOwed).toList();
    if (owed.isEmpty()) {
      text.append(
          events.stream().anyMatch(event -> event.state() == OperationEvent.State.PASSED)
              ? "Nothing is owed, as far as is known.\n"
              : "Nothing is owed.\n");
    }
    for (OperationEvent event : owed) {
      text.append(
          "Owed: %s, %s, by %s.%s%n"
              .formatted(event.what(), event.boundary(), event.owedBy(), sentence(remedy(event))));
    }
    return text.toString();
  }

  private static String sentence(@Nullable String remedy) {
    return remedy == null ? "" : " " + remedy;
  }

  private static List<String> row(OperationEvent event) {
    return List.of(
        event.at() == null ? "-" : time(event.at()),
        event.boundary(),
        event.what(),
        event.state().name().toLowerCase(Locale.ROOT),
        event.detail() == null ? "" : event.detail());
  }

  private static String time(Instant at) {
    return at.truncatedTo(ChronoUnit.MILLIS).toString();
  }

  /** What a person can do; {@code null} where it goes on by itself. */
  private static @Nullable String remedy(OperationEvent event) {
    String channel = event.channel();
    if (event.boundary().startsWith(CONSUMER)) {
      return ofConsumer(event, event.boundary().substring(CONSUMER.length()));
    }
    if (event.boundary().startsWith(WORKFLOW)) {
      return event.state() == OperationEvent.State.PARKED
          ? "See: holdfast workflow show " + event.what().replaceFirst("^run ", "") + "."
          : null;
    }
    if (channel == null) {
      return event.owedBy() != null && event.owedBy().startsWith("nobody")
          ? "Start a relay of any channel."
          : null;
    }
    String owedBy = String.valueOf(event.owedBy());
    return switch (event.state()) {
      case PARKED ->
          "See: holdfast outbox list --channel %1$s. Remove the cause, then: holdfast outbox unpark --channel %1$s KEY, or skip --channel %1$s %2$d."
              .formatted(channel, event.position());
      case WAITING, REPLAYING ->
          owedBy.startsWith("an operator")
              ? "When the cause is removed: holdfast outbox resume --channel " + channel + "."
              : owedBy.startsWith("nobody")
                  ? "Start a process that runs channel " + channel + "."
                  : null;
      case DONE, DELAYED, DELIVERED, SKIPPED, PASSED -> null;
    };
  }

  private static @Nullable String ofConsumer(OperationEvent event, String consumer) {
    return switch (event.state()) {
      case PARKED ->
          "See: holdfast consumer list %1$s. Remove the cause, then: holdfast consumer release %1$s, or skip %1$s, with the topic, the partition and the lane or the offset that are told here."
              .formatted(consumer);
      case REPLAYING ->
          String.valueOf(event.owedBy()).startsWith("an operator")
              ? "When the cause is removed: holdfast consumer resume " + consumer + "."
              : null;
      case DONE, DELAYED, WAITING, DELIVERED, SKIPPED, PASSED -> null;
    };
  }

  private Map<String, Object> json(List<OperationEvent> events, boolean more) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("operation", id);
    all.put("owed", events.stream().filter(OperationEvent::isOwed).count());
    all.put("more", more);
    List<Map<String, Object>> list = new ArrayList<>();
    for (OperationEvent event : events) {
      Map<String, Object> value = new LinkedHashMap<>();
      value.put("at", event.at() == null ? null : event.at().toString());
      value.put("boundary", event.boundary());
      value.put("what", event.what());
      value.put("state", event.state().name());
      value.put("owed_by", event.owedBy());
      value.put("detail", event.detail());
      value.put("remedy", event.isOwed() ? remedy(event) : null);
      value.put("message_id", event.messageId() == null ? null : event.messageId().toString());
      value.put("position", event.position());
      value.put("channel", event.channel());
      list.add(value);
    }
    all.put("events", list);
    return all;
  }
}
