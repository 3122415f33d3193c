package dev.holdfast.cli;

import dev.holdfast.HoldfastException;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.ParkedMessage;
import dev.holdfast.outbox.store.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code holdfast outbox}: shows channels and carries out an operator's decisions. */
@Command(
    name = "outbox",
    description = "The outbox's channels: what waits, what is parked, and what to do about it.")
public final class OutboxCommand extends Group {
  private static final int MOST_LISTED = 100_000;

  /** What every command here takes. */
  static final class Common {
    @Mixin DatabaseOptions database = new DatabaseOptions();

    @Option(names = "--json", description = "Prints JSON.")
    boolean json;
  }

  /** Whose decision it is and which channel it concerns. */
  static final class Decision {
    @Mixin Common common = new Common();

    @Option(
        names = "--channel",
        paramLabel = "NAME",
        defaultValue = "default",
        description = "The channel (default: ${DEFAULT-VALUE}).")
    String channel = "default";

    @Option(
        names = "--actor",
        paramLabel = "WHO",
        defaultValue = "${sys:user.name}",
        description = "Who decides, for the audit trail (default: ${DEFAULT-VALUE}).")
    String actor = "";
  }

  /** Why, for the audit trail. */
  static final class Reason {
    @Option(
        names = "--reason",
        paramLabel = "TEXT",
        defaultValue = "by an operator",
        description = "Why, for the audit trail (default: ${DEFAULT-VALUE}).")
    String text = "";
  }

  @Command(name = "status", description = "Shows each channel: state, leader, what waits.")
  void status(@Mixin Common common) {
    List<ChannelStatus> channels =
        common.database.withTables(
            store -> store.channels().names().stream().map(store.channels()::status).toList());
    if (common.json) {
      out(Json.text(Map.of("channels", channels.stream().map(OutboxCommand::json).toList())));
      return;
    }
    if (channels.isEmpty()) {
      out(known(List.of()) + "\n");
      return;
    }
    out(
        Table.of(
            List.of("channel", "state", "leader", "waiting", "oldest", "parked", "topics"),
            channels.stream().map(OutboxCommand::row).toList()));
    for (ChannelStatus channel : channels) {
      if (channel.reason() != null) {
        out(channel.name() + ": " + channel.reason() + "\n");
      }
    }
  }

  private static List<String> row(ChannelStatus channel) {
    boolean more = channel.lagMessages() >= ChannelStatus.LAG_BOUND;
    return List.of(
        channel.name(),
        channel.state().name().toLowerCase(Locale.ROOT),
        channel.leader() == null ? "(none)" : channel.leader(),
        channel.lagMessages() + (more ? " or more" : ""),
        seconds(channel.lag()) + " s",
        channel.parkedMessages() + " of " + channel.parkedLanes() + " keys",
        String.join(" ", channel.patterns()));
  }

  private static Map<String, Object> json(ChannelStatus channel) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("channel", channel.name());
    value.put("state", channel.state().name());
    value.put("reason", channel.reason());
    value.put("topics", channel.patterns());
    value.put("leader", channel.leader());
    value.put("epoch", channel.epoch());
    value.put("lag_messages", channel.lagMessages());
    value.put("lag_seconds", seconds(channel.lag()));
    value.put("parked_keys", channel.parkedLanes());
    value.put("parked_messages", channel.parkedMessages());
    return value;
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }

  @Command(name = "list", description = "Shows the parked messages of a channel, without payloads.")
  void list(
      @Mixin Decision decision,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "100",
              description = "At most so many (default: ${DEFAULT-VALUE}).")
          int limit) {
    Limit.check(limit, MOST_LISTED);
    List<ParkedMessage> parked =
        onChannel(decision, store -> store.parking().list(decision.channel, limit));
    if (decision.common.json) {
      out(Json.text(Map.of("parked", parked.stream().map(OutboxCommand::json).toList())));
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    for (ParkedMessage message : parked) {
      OutboxRecord record = message.message();
      rows.add(
          List.of(
              Long.toString(record.position()),
              record.topic(),
              record.key() == null ? "-" : record.key(),
              state(message),
              message.parkedAt().toString(),
              message.reason() == null ? "" : message.reason()));
    }
    out(Table.of(List.of("position", "topic", "key", "state", "since", "reason"), rows));
  }

  private static String state(ParkedMessage message) {
    return message.skipped() ? "skipped" : message.releasing() ? "releasing" : "parked";
  }

  private static Map<String, Object> json(ParkedMessage message) {
    OutboxRecord record = message.message();
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("position", record.position());
    value.put("id", record.id().toString());
    value.put("topic", record.topic());
    value.put("key", record.key());
    value.put("lane", message.lane());
    value.put("state", state(message));
    value.put("parked_at", message.parkedAt().toString());
    value.put("reason", message.reason());
    return value;
  }

  @Command(name = "park", description = "Holds a key back, from its next message on.")
  void park(@Mixin Decision decision, @Mixin Reason reason, @Mixin Lane lane) {
    decide(
        decision,
        store ->
            store.parking().orderPark(decision.channel, lane.name(), decision.actor, reason.text),
        "The key is parked from its next message on.");
  }

  @Command(name = "unpark", description = "Sends what a key holds back, in order, and goes on.")
  void unpark(@Mixin Decision decision, @Mixin Lane lane) {
    decide(
        decision,
        store -> store.parking().orderUnpark(decision.channel, lane.name(), decision.actor),
        "The replay is ordered; the leader carries it out.");
  }

  /** What is parked together. */
  static final class Lane {
    @Parameters(
        paramLabel = "KEY",
        description = "The messages' key; for a message without one p:POSITION and --lane.")
    String key = "";

    @Option(names = "--lane", description = "KEY is a lane as list --json shows it: k:… or p:…")
    boolean isLane;

    String name() {
      return isLane ? key : OutboxRecord.laneOfKey(key);
    }
  }

  @Command(
      name = "skip",
      description = "Marks a parked message as not to be sent; it stays readable.")
  void skip(
      @Mixin Decision decision,
      @Mixin Reason reason,
      @Parameters(paramLabel = "POSITION", description = "As list shows it.") long position) {
    decide(
        decision,
        store -> store.parking().skip(decision.channel, position, decision.actor, reason.text),
        "The message will not be sent.");
  }

  @Command(name = "pause", description = "Stops delivery; messages wait.")
  void pause(@Mixin Decision decision, @Mixin Reason reason) {
    decide(
        decision,
        store ->
            store
                .channels()
                .setState(decision.channel, ChannelState.PAUSED, decision.actor, reason.text),
        "The channel is paused; messages wait.");
  }

  @Command(name = "resume", description = "Goes on after a pause or a stop.")
  void resume(@Mixin Decision decision) {
    decide(
        decision,
        store ->
            store.channels().setState(decision.channel, ChannelState.RUNNING, decision.actor, null),
        "The channel runs.");
  }

  @Command(
      name = "reanchor",
      description =
          "Starts a new era after a restore or a failover with loss: the database's copy of the"
              + " progress is believed, not the target's. Messages may be repeated.")
  void reanchor(
      @Mixin Decision decision,
      @Option(
              names = "--from-beginning",
              description = "Delivers everything the outbox still holds; after a dump and restore.")
          boolean fromBeginning) {
    int era =
        onChannel(
            decision,
            store -> store.channels().reanchor(decision.channel, fromBeginning, decision.actor));
    done(decision, "The channel is in era " + era + " and runs.");
  }

  @Command(
      name = "unroute",
      description = "Takes a topic from a channel; what was recorded before is still delivered.")
  void unroute(
      @Mixin Decision decision,
      @Parameters(paramLabel = "TOPICS", description = "As status shows it.") String pattern) {
    boolean closed =
        onChannel(decision, store -> store.channels().closeRoute(decision.channel, pattern));
    if (!closed) {
      throw new HoldfastException(
          "Channel %s does not take '%s', so nothing was changed. holdfast outbox status shows what it takes."
              .formatted(decision.channel, pattern));
    }
    done(decision, "Publishing to " + pattern + " is refused from now on.");
  }

  @Command(
      name = "remove",
      description =
          "Removes a channel that is no longer wanted, so that it holds nothing back. Close its"
              + " routes first and let the rest be delivered.")
  void remove(
      @Mixin Decision decision,
      @Option(
              names = "--discard",
              description = "Gives up what is not delivered or parked. It cannot be had back.")
          boolean discard) {
    decide(
        decision,
        store -> store.channels().remove(decision.channel, discard, decision.actor),
        "The channel is removed.");
  }

  private void decide(Decision decision, Consumer<Store> work, String result) {
    onChannel(
        decision,
        store -> {
          work.accept(store);
          return true;
        });
    done(decision, result);
  }

  private void done(Decision decision, String result) {
    out(
        decision.common.json
            ? Json.text(Map.of("channel", decision.channel, "result", result))
            : result + "\n");
  }

  private static String known(List<String> channels) {
    return channels.isEmpty()
        ? "No channel has been registered yet; a relay registers those that it is given."
        : "The channels are: %s. Choose one with --channel.".formatted(String.join(", ", channels));
  }

  private static <T> T onChannel(Decision decision, Function<Store, T> work) {
    return decision.common.database.withTables(
        store -> {
          if (store.channels().state(decision.channel).isEmpty()) {
            throw new HoldfastException(
                "There is no channel '%s', so nothing was done. %s"
                    .formatted(decision.channel, known(store.channels().names())));
          }
          return work.apply(store);
        });
  }
}
