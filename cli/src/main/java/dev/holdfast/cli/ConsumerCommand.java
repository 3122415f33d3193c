package dev.holdfast.cli;

import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.store.ConsumerParking.Lane;
import dev.holdfast.inbox.store.OffsetStore.Position;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.outbox.store.Store;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code holdfast consumer}: shows consumers that keep offsets or park messages here, and what to
 * do about them.
 */
@Command(
    name = "consumer",
    description =
        "Consumers whose offsets are in the database, and those who park messages of queues here:"
            + " where they are, what they hold back, and what to do about it.")
public final class ConsumerCommand extends Group {
  private static final int MOST_LISTED = 1_000;

  /** Which consumer, where. */
  static final class Consumer {
    @Mixin DatabaseOptions database = new DatabaseOptions();

    @Option(names = "--json", description = "Prints JSON.")
    boolean json;

    @Parameters(paramLabel = "CONSUMER", description = "The consumer, as status shows it.")
    String name = "";
  }

  /** A partition of a topic. */
  static final class Place {
    @Option(
        names = "--topic",
        paramLabel = "TOPIC",
        required = true,
        description = "The topic, or the queue.")
    String topic = "";

    @Option(
        names = "--partition",
        paramLabel = "N",
        required = true,
        description = "The partition, as list shows it; 0 for a queue.")
    int partition;

    @Option(
        names = "--actor",
        paramLabel = "WHO",
        defaultValue = "${sys:user.name}",
        description = "Who decides, for the audit trail (default: ${DEFAULT-VALUE}).")
    String actor = "";
  }

  @Command(name = "status", description = "Shows where each consumer is, and what has stopped.")
  void status(
      @Mixin DatabaseOptions database,
      @Option(names = "--json", description = "Prints JSON.") boolean json) {
    List<Map<String, Object>> consumers =
        database.withTables(
            store -> store.offsets().consumers().stream().map(name -> json(store, name)).toList());
    if (json) {
      out(Json.text(Map.of("consumers", consumers)));
      return;
    }
    if (consumers.isEmpty()) {
      out(known(List.of()) + "\n");
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    StringBuilder reasons = new StringBuilder();
    for (Map<String, Object> consumer : consumers) {
      if (consumer.get("parked") instanceof Long parked && parked > 0) {
        reasons.append(
            "%1$s: %2$s parked; see: holdfast consumer list %1$s%n"
                .formatted(
                    consumer.get("consumer"),
                    parked < MOST_LISTED ? parked.toString() : parked + " or more"));
      }
      for (Object each : (List<?>) consumer.getOrDefault("partitions", List.of())) {
        Map<?, ?> partition = (Map<?, ?>) each;
        Object stopped = partition.get("stopped");
        boolean queue = Boolean.TRUE.equals(partition.get("queue"));
        rows.add(
            List.of(
                String.valueOf(consumer.get("consumer")),
                consumer.get("paused") == null ? "running" : "paused",
                partition.get("topic") + (queue ? "" : "-" + partition.get("partition")),
                queue ? "-" : String.valueOf(partition.get("next_offset")),
                queue ? "a queue" : stopped == null ? "reading" : "stopped"));
        if (stopped != null) {
          reasons.append(
              "%s: %s-%s: %s%n"
                  .formatted(
                      consumer.get("consumer"),
                      partition.get("topic"),
                      partition.get("partition"),
                      stopped));
        }
      }
    }
    out(Table.of(List.of("consumer", "state", "partition", "next", "partition is"), rows));
    out(reasons.toString());
  }

  private static Map<String, Object> json(Store store, String consumer) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("consumer", consumer);
    value.put("paused", store.offsets().pausedBecause(consumer).orElse(null));
    value.put("parked", store.consumerParking().count(consumer, MOST_LISTED));
    value.put(
        "partitions",
        store.offsets().positions(consumer).stream().map(ConsumerCommand::json).toList());
    return value;
  }

  private static Map<String, Object> json(Position position) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("topic", position.partition().topic());
    value.put("partition", position.partition().number());
    value.put("queue", position.partition().isQueue());
    value.put("next_offset", position.partition().isQueue() ? null : position.next());
    value.put("stopped", position.stopped());
    return value;
  }

  @Command(name = "list", description = "Shows the keys that a consumer holds back, and why.")
  void list(@Mixin Consumer consumer) {
    List<Lane> lanes =
        on(consumer, store -> store.consumerParking().all(consumer.name, MOST_LISTED));
    if (consumer.json) {
      out(Json.text(Map.of("parked", lanes.stream().map(ConsumerCommand::json).toList())));
      return;
    }
    out(
        Table.of(
            List.of("topic", "partition", "lane", "records", "first", "state", "reason"),
            lanes.stream()
                .map(
                    lane ->
                        List.of(
                            lane.partition().topic(),
                            Integer.toString(lane.partition().number()),
                            Printable.of(lane.name()),
                            Long.toString(lane.records()),
                            lane.first() == null ? "-" : Long.toString(lane.first()),
                            lane.releasing() ? "releasing" : "parked",
                            Printable.of(lane.reason())))
                .toList()));
  }

  private static Map<String, Object> json(Lane lane) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("topic", lane.partition().topic());
    value.put("partition", lane.partition().number());
    value.put("lane", lane.name());
    value.put("records", lane.records());
    value.put("first_offset", lane.first());
    value.put("releasing", lane.releasing());
    value.put("reason", lane.reason());
    return value;
  }

  @Command(
      name = "release",
      description = "Has what a key holds back handled again, in order, and goes on with the key.")
  void release(
      @Mixin Consumer consumer,
      @Mixin Place place,
      @Option(
              names = "--lane",
              paramLabel = "LANE",
              required = true,
              description = "As list shows it: k:KEY, o:OFFSET, m:MESSAGE or h:HASH.")
          String lane) {
    decide(
        consumer,
        store ->
            store
                .consumerParking()
                .release(consumer.name, place.topic, place.partition, lane, place.actor),
        store ->
            store.offsets().pausedBecause(consumer.name).isEmpty()
                ? "The replay is ordered; a process of the consumer carries it out."
                : "The replay is ordered. The consumer is paused, so it is carried out behind: holdfast consumer resume %s."
                    .formatted(consumer.name),
        "Nothing of that lane is held back, so nothing was done. holdfast consumer list %s shows what is."
            .formatted(consumer.name));
  }

  @Command(
      name = "skip",
      description = "Gives up a record that is held back. It cannot be had back from here.")
  void skip(
      @Mixin Consumer consumer,
      @Mixin Place place,
      @Option(
              names = "--offset",
              paramLabel = "N",
              required = true,
              description = "The record's, as list shows that of the first.")
          long offset) {
    decide(
        consumer,
        store ->
            store
                .consumerParking()
                .skip(consumer.name, place.topic, place.partition, offset, place.actor),
        "The record will not be handled. Release its key, so that those behind it are.",
        "No record of that offset is held back, so nothing was done.");
  }

  @Command(
      name = "pause",
      description = "Stops handling, in all processes; what comes waits at the broker.")
  void pause(
      @Mixin Consumer consumer,
      @Option(
              names = "--reason",
              paramLabel = "TEXT",
              defaultValue = "by an operator",
              description = "Why, for people (default: ${DEFAULT-VALUE}).")
          String reason) {
    decide(
        consumer,
        store -> {
          store.offsets().pause(consumer.name, reason);
          return true;
        },
        "The consumer is paused; what comes waits at the broker, for as long as that keeps it.",
        "");
  }

  @Command(name = "resume", description = "Goes on after a pause.")
  void resume(@Mixin Consumer consumer) {
    decide(
        consumer,
        store -> {
          store.offsets().pause(consumer.name, null);
          return true;
        },
        "The consumer runs.",
        "");
  }

  /** Where to go on; one of them. */
  static final class Target {
    @Option(names = "--to-earliest", description = "Everything that Kafka has.")
    boolean earliest;

    @Option(names = "--to-latest", description = "What comes from now on.")
    boolean latest;

    @Option(
        names = "--to-time",
        paramLabel = "INSTANT",
        description = "Records of this time and later, such as 2026-11-25T10:00:00Z.")
    @Nullable String time;

    Instant instant() {
      if (earliest || latest) {
        return earliest ? Instant.MIN : Instant.MAX;
      }
      try {
        return Instant.parse(String.valueOf(time));
      } catch (DateTimeParseException e) {
        throw new InvalidConfiguration(
            "--to-time is '%s', and must be like 2026-11-25T10:00:00Z. Nothing was changed."
                .formatted(time));
      }
    }
  }

  @Command(
      name = "continue",
      description = {
        "Has a partition that has stopped read on from where it stopped, or from an offset.",
        "Touches no other partition. For a topic that was made again use seek."
      })
  void goOn(
      @Mixin Consumer consumer,
      @Option(names = "--topic", paramLabel = "TOPIC", required = true, description = "The topic.")
          String topic,
      @Option(names = "--partition", paramLabel = "N", required = true, description = "Which.")
          int partition,
      @Option(
              names = "--offset",
              paramLabel = "N",
              description = "Where to go on (default: where it stopped).")
          @Nullable Long offset) {
    if (offset != null && offset < 0) {
      throw new InvalidConfiguration(
          "--offset is %d, and must be 0 or more. Nothing was changed.".formatted(offset));
    }
    decide(
        consumer,
        store ->
            store.offsets().positions(consumer.name).stream()
                .filter(each -> each.partition().topic().equals(topic))
                .filter(each -> !each.partition().isQueue())
                .filter(each -> each.partition().number() == partition)
                .findFirst()
                .map(
                    each -> {
                      store
                          .offsets()
                          .seek(
                              consumer.name,
                              topic,
                              each.partition().topicId(),
                              Map.of(partition, offset == null ? each.next() : offset));
                      return true;
                    })
                .orElse(false),
        "The partition goes on there, within a second or so.",
        "The consumer does not read that partition, so nothing was changed.");
  }

  @Command(
      name = "seek",
      description = {
        "Sets where a consumer goes on in all partitions of a topic.",
        "What was handled before is handled again, unless its id is remembered."
      })
  void seek(
      @Mixin Consumer consumer,
      @Option(names = "--topic", paramLabel = "TOPIC", required = true, description = "The topic.")
          String topic,
      @Option(
              names = "--kafka",
              paramLabel = "HOST:PORT",
              required = true,
              description = "The brokers, as in bootstrap.servers.")
          String kafka,
      @ArgGroup(multiplicity = "1") Target target) {
    Instant time = target.instant();
    decide(
        consumer,
        store -> {
          try {
            KafkaInbox.seek(
                store, consumer.name, Map.of("bootstrap.servers", kafka), List.of(topic), time);
            return true;
          } catch (KafkaException e) {
            throw new HoldfastException(
                "Kafka at %s could not be asked (%s), so nothing was changed."
                    .formatted(kafka, e.getMessage()),
                e);
          }
        },
        "The consumer goes on there, within a second or so.",
        "");
  }

  private void decide(
      Consumer consumer, Function<Store, Boolean> work, String done, String nothing) {
    decide(consumer, work, store -> done, nothing);
  }

  private void decide(
      Consumer consumer,
      Function<Store, Boolean> work,
      Function<Store, String> said,
      String nothing) {
    String done = on(consumer, store -> work.apply(store) ? said.apply(store) : "");
    if (done.isEmpty()) {
      throw new HoldfastException(nothing);
    }
    out(consumer.json ? Json.text(Map.of("consumer", consumer.name, "result", done)) : done + "\n");
  }

  private static String known(List<String> consumers) {
    return consumers.isEmpty()
        ? "No consumer has been started yet on this database."
        : "The consumers are: %s.".formatted(String.join(", ", consumers));
  }

  private static <T> T on(Consumer consumer, Function<Store, T> work) {
    return consumer.database.withTables(
        store -> {
          List<String> names = store.offsets().consumers();
          if (!names.contains(consumer.name)) {
            throw new HoldfastException(
                "There is no consumer '%s', so nothing was done. %s"
                    .formatted(consumer.name, known(names)));
          }
          return work.apply(store);
        });
  }
}
