package dev.holdfast.cli;

import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.projection.store.ProjectionStatus;
import dev.holdfast.projection.store.ProjectionStatus.SlotStatus;
import dev.holdfast.projection.store.ProjectionStore.Parked;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code holdfast projection}: who follows the event log, and what waits for a person. */
@Command(
    name = "projection",
    description =
        "Projections and channels of the event log: how far they are, what is parked, and what to"
            + " do about it.")
public final class ProjectionCommand extends Group {
  private static final int MOST_LISTED = 100_000;
  private static final String CHANNEL = "channel/";

  /** Which one, where. */
  static final class Named {
    @Mixin OutboxCommand.Common common = new OutboxCommand.Common();

    @Parameters(
        index = "0",
        paramLabel = "NAME",
        description =
            "The live version of a projection; NAME/VERSION for another; channel/NAME for a"
                + " channel.")
    String name = "";
  }

  @Command(
      name = "list",
      description = "Shows each projection and channel: who is at it, and how far behind it is.")
  void list(@Mixin OutboxCommand.Common common) {
    record Seen(List<ProjectionStatus> all, int holders) {}
    Seen seen =
        common.database.withTables(
            store -> new Seen(store.projections().statuses(), store.events().holders().size()));
    if (common.json) {
      out(
          Json.text(
              Map.of("projections", seen.all().stream().map(ProjectionCommand::json).toList())));
      return;
    }
    if (seen.all().isEmpty()) {
      out(known(seen.all()) + "\n");
      return;
    }
    out(
        Table.of(
            List.of("projection", "state", "owned", "checkpoint", "behind", "oldest", "parked"),
            seen.all().stream().map(ProjectionCommand::row).toList()));
    for (ProjectionStatus each : seen.all()) {
      if (each.owned() < each.slots().size() && isWanted(each)) {
        out("%s: nobody is at %s.%n".formatted(nameOf(each), free(each)));
      }
    }
    if (seen.holders() > 0) {
      out(
          "Readers may have to wait for %d open transaction(s): holdfast events head names them.%n"
              .formatted(seen.holders()));
    }
  }

  private static List<String> row(ProjectionStatus each) {
    boolean more = each.behindEvents() >= ProjectionStatus.BEHIND_BOUND;
    return List.of(
        nameOf(each),
        state(each),
        each.owned() + " of " + each.slots().size(),
        Long.toString(each.checkpoint()),
        each.behindEvents() + (more ? " or more" : ""),
        each.behind().toMillis() / 1000.0 + " s",
        Long.toString(each.parkedKeys()));
  }

  private static Map<String, Object> json(ProjectionStatus each) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("projection", nameOf(each));
    value.put("version", each.version().version());
    value.put("state", state(each));
    value.put("checkpoint", each.checkpoint());
    value.put("behind_events", each.behindEvents());
    value.put("behind_seconds", each.behind().toMillis() / 1000.0);
    value.put("parked_keys", each.parkedKeys());
    value.put("slots", each.slots().stream().map(ProjectionCommand::json).toList());
    return value;
  }

  private static Map<String, Object> json(SlotStatus slot) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("slot", slot.slot());
    value.put("owner", slot.owner());
    value.put("checkpoint", slot.checkpoint());
    value.put("generation", slot.generation());
    value.put("changed_at", slot.changedAt().toString());
    return value;
  }

  private static boolean isChannel(ProjectionStatus each) {
    return each.version().name().startsWith(CHANNEL);
  }

  /** As it is typed: a channel has no versions. */
  private static String nameOf(ProjectionStatus each) {
    return isChannel(each) ? each.version().name() : each.version().toString();
  }

  private static String state(ProjectionStatus each) {
    if (isChannel(each)) {
      return "channel";
    }
    return each.isLive() ? "live" : isWanted(each) ? "being built" : "former";
  }

  private static boolean isWanted(ProjectionStatus each) {
    return each.version().version() >= each.live();
  }

  private static String free(ProjectionStatus each) {
    return each.slots().size() == 1
        ? "it"
        : each.slots().stream()
            .filter(slot -> slot.owner() == null)
            .map(slot -> Integer.toString(slot.slot()))
            .collect(Collectors.joining(", ", "slot ", ""));
  }

  @Command(
      name = "parked",
      description = "Shows the keys that are parked: since which event, and why; the oldest first.")
  void parked(
      @Mixin Named named,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "100",
              description = "At most so many (default: ${DEFAULT-VALUE}).")
          int limit) {
    Limit.check(limit, MOST_LISTED);
    List<Parked> parked =
        named.common.database.withTables(
            store -> store.projections().parked(find(store, named.name).version(), limit));
    if (named.common.json) {
      out(Json.text(Map.of("parked", parked.stream().map(ProjectionCommand::json).toList())));
      return;
    }
    out(
        parked.isEmpty()
            ? "No key is parked.\n"
            : Table.of(
                List.of("key", "slot", "event", "state", "since", "reason"),
                parked.stream()
                    .map(
                        each ->
                            List.of(
                                Printable.of(each.key()),
                                Integer.toString(each.slot()),
                                Long.toString(each.position()),
                                state(each),
                                each.since().toString(),
                                Printable.of(each.reason())))
                    .toList()));
  }

  private static String state(Parked parked) {
    return parked.isReleased() ? "replay asked" : "parked";
  }

  private static Map<String, Object> json(Parked parked) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("key", parked.key());
    value.put("slot", parked.slot());
    value.put("position", parked.position());
    value.put("state", state(parked));
    value.put("since", parked.since().toString());
    value.put("reason", parked.reason());
    return value;
  }

  @Command(
      name = "replay",
      description = {
        "Has what is parked of a key applied, or sent, in order, by the process that is at it.",
        "It does so within about a second. Where that fails the key stays parked, with the reason."
      })
  void replay(
      @Mixin Named named,
      @Parameters(
              index = "1",
              paramLabel = "KEY",
              arity = "0..1",
              description = "As parked shows it: a stream's name, mostly.")
          @Nullable String key,
      @Option(names = "--all", description = "All keys that are parked, in place of KEY.")
          boolean all) {
    if (all == (key != null)) {
      throw new InvalidConfiguration(
          "Name a KEY, or say --all. Nothing was done. holdfast projection parked %s shows what is parked."
              .formatted(Printable.of(named.name)));
    }
    record Asked(ProjectionStatus status, int keys) {}
    Asked asked =
        named.common.database.withTables(
            store -> {
              ProjectionStatus status = find(store, named.name);
              int found =
                  key == null
                      ? store.projections().releaseAll(status.version())
                      : store.projections().release(status.version(), key) ? 1 : 0;
              return new Asked(status, found);
            });
    if (key != null && asked.keys() == 0) {
      throw new HoldfastException(
          "The key %s is not parked in %s, so nothing was done. holdfast projection parked %s shows what is."
              .formatted(Printable.of(key), nameOf(asked.status()), named.name));
    }
    ProjectionStatus status = asked.status();
    boolean isFree = status.owned() < status.slots().size();
    String result =
        asked.keys() == 0
            ? "No key is parked."
            : isFree
                ? "The replay of %d key(s) is asked for. Nobody is at %s: a process that has it does it when it is started."
                    .formatted(asked.keys(), free(status))
                : "The replay of %d key(s) is asked for; whoever is at them carries it out."
                    .formatted(asked.keys());
    out(
        named.common.json
            ? Json.text(
                Map.of("projection", nameOf(status), "keys", asked.keys(), "result", result))
            : result + "\n");
  }

  private static ProjectionStatus find(Store store, String name) {
    List<ProjectionStatus> all = store.projections().statuses();
    return all.stream()
        .filter(
            each ->
                each.version().toString().equals(name)
                    || (each.isLive() && each.version().name().equals(name)))
        .findFirst()
        .orElseThrow(
            () ->
                new HoldfastException(
                    "There is no projection '%s', so nothing was done. %s"
                        .formatted(Printable.of(name), known(all))));
  }

  private static String known(List<ProjectionStatus> all) {
    return all.isEmpty()
        ? "Nobody follows the event log yet; a process that does registers its projections and channels."
        : "There are: %s."
            .formatted(
                all.stream().map(ProjectionCommand::nameOf).collect(Collectors.joining(", ")));
  }
}
