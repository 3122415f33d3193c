package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.ConsumerProgress;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.kafka.inbox.KafkaBatchHandler;
import dev.holdfast.kafka.inbox.KafkaHandler;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import dev.holdfast.kafka.inbox.PartitionStatus;
import dev.holdfast.spring.health.ConsumerState;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** The consumers of Kafka: what is to be started, and what has been. */
final class KafkaConsumers {
  private static final int MOST_THREADS = 100;

  private KafkaConsumers() {}

  /** Begins to read, on a thread of its own. */
  @FunctionalInterface
  private interface Starting {
    KafkaInbox with(Map<String, Object> client);
  }

  /** A consumer that can be started. */
  record Planned(String consumer, List<Map<String, Object>> clients, Starting starting)
      implements Consumers.Plan {
    @Override
    public Consumers.Running start() {
      List<KafkaInbox> threads = new ArrayList<>();
      try {
        for (Map<String, Object> client : clients) {
          threads.add(starting.with(client));
        }
      } catch (RuntimeException | Error e) {
        threads.forEach(KafkaInbox::close);
        throw e;
      }
      return new Reading(consumer, List.copyOf(threads));
    }
  }

  /** One that has been started. */
  record Reading(String consumer, List<KafkaInbox> threads) implements Consumers.Running {
    @Override
    public List<Runnable> closing() {
      return threads.stream().map(thread -> (Runnable) thread::close).toList();
    }

    /** As of about a second ago. */
    ConsumerState state() {
      List<PartitionStatus> partitions =
          threads.stream().flatMap(thread -> thread.status().stream()).toList();
      Map<String, String> stopped = new LinkedHashMap<>();
      for (PartitionStatus partition : partitions) {
        String reason = partition.stopped();
        if (reason != null) {
          stopped.put(partition.topic() + "-" + partition.partition(), reason);
        }
      }
      long lag = partitions.stream().mapToLong(partition -> Math.max(0, partition.lag())).sum();
      return new ConsumerState(consumer, partitions.size(), lag, stopped);
    }

    ConsumerProgress progress() {
      return threads.stream()
          .map(KafkaInbox::progress)
          .reduce(ConsumerProgress.NONE, ConsumerProgress::plus);
    }
  }

  static Planned plan(
      ReceivedWork work,
      String consumer,
      ConsumerProperties own,
      KafkaConsumerSettings kafka,
      KafkaMethods methods) {
    List<Map<String, Object>> clients = new ArrayList<>();
    for (int number = 0; number < threads(own, consumer); number++) {
      clients.add(kafka.of(consumer, number, own.properties()));
    }
    KafkaInboxSettings settings = settings(own, consumer);
    Set<String> topics = Set.copyOf(methods.all().keySet());
    Holdfast holdfast = work.holdfast();
    KafkaHandler each = (tx, message) -> methods.handle(work, tx, message);
    KafkaBatchHandler together = (tx, messages) -> methods.handle(work, tx, messages);
    return new Planned(
        consumer,
        clients,
        methods.areForBatches(consumer)
            ? client ->
                KafkaInbox.startBatch(holdfast, consumer, client, settings, topics, together)
            : client -> KafkaInbox.start(holdfast, consumer, client, settings, topics, each));
  }

  private static int threads(ConsumerProperties own, String consumer) {
    int threads = own.concurrency();
    if (threads < 1 || threads > MOST_THREADS) {
      throw new InvalidConfiguration(
          "holdfast.consumers.%s.concurrency is %d, and must be 1 to %d. Nothing was started."
              .formatted(consumer, threads, MOST_THREADS));
    }
    return threads;
  }

  static KafkaInboxSettings settings(ConsumerProperties own, String consumer) {
    KafkaInboxSettings unlessSet = KafkaInboxSettings.DEFAULT;
    InboxSettings ids = own.remembersIds() ? own.inbox(consumer) : null;
    return new KafkaInboxSettings(
        own.attemptsOr(unlessSet.attempts()),
        own.handlerSilence(),
        Objects.requireNonNullElse(own.maxParked(), unlessSet.maxParked()),
        own.startAt() == null ? unlessSet.startAt() : start(own.startAt(), consumer),
        ids);
  }

  private static Instant start(String at, String consumer) {
    return switch (at) {
      case "earliest" -> Instant.MIN;
      case "latest" -> Instant.MAX;
      default -> {
        try {
          yield Instant.parse(at);
        } catch (DateTimeParseException e) {
          throw new InvalidConfiguration(
              "holdfast.consumers.%s.start-at is %s, and must be earliest, latest, or a time such as 2026-01-31T00:00:00Z. Nothing was started."
                  .formatted(consumer, at),
              e);
        }
      }
    };
  }
}
