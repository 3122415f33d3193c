package dev.holdfast.kafka.inbox;

import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.OffsetStore;
import dev.holdfast.inbox.store.OffsetStore.Partition;
import dev.holdfast.inbox.store.OffsetStore.Position;
import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Partitions that are assigned and not read yet: finds out where to begin, and whether that still
 * makes sense. What does not is stopped, and the reason kept in the database: there is no reset.
 */
final class Opening {
  private static final Logger log = LoggerFactory.getLogger(Opening.class);

  /** So long a leader that has just started may not know how far its log goes. */
  private static final Duration SETTLED = Duration.ofSeconds(10);

  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(2);
  private static final Duration ASKED_AGAIN = Duration.ofSeconds(2);

  private final String consumer;
  private final Instant startAt;
  private final OffsetStore offsets;
  private final ConsumerParking parking;
  private final Set<TopicPartition> waiting = new LinkedHashSet<>();
  private final Map<TopicPartition, String> truncated = new HashMap<>();
  private final Set<String> later = new HashSet<>();
  private final Map<TopicPartition, Long> aheadSince = new HashMap<>();

  /** Those that did not answer lately, so that asking them does not keep others from being read. */
  private final Map<TopicPartition, Long> silentSince = new HashMap<>();

  Opening(String consumer, Instant startAt, OffsetStore offsets, ConsumerParking parking) {
    this.consumer = consumer;
    this.startAt = startAt;
    this.offsets = offsets;
    this.parking = parking;
  }

  /** Topics that were not there when this member started: all of them comes from now on. */
  void readFromTheFirst(Collection<String> topics) {
    later.addAll(topics);
  }

  void add(TopicPartition partition) {
    waiting.add(partition);
  }

  void remove(TopicPartition partition) {
    waiting.remove(partition);
    truncated.remove(partition);
    aheadSince.remove(partition);
    silentSince.remove(partition);
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  /** What the broker says of a position while it is read. */
  void doubt(OffsetOutOfRangeException e) {
    if (e instanceof LogTruncationException truncation) {
      truncation
          .divergentOffsets()
          .forEach(
              (partition, offset) ->
                  truncated.put(
                      partition, "records from offset " + offset.offset() + " on were replaced"));
    }
    waiting.addAll(e.partitions());
  }

  /**
   * The partitions that can be read, and those that are stopped. Of the others some may wait for a
   * leader.
   *
   * @throws dev.holdfast.HoldfastException when the database does not answer
   * @throws org.apache.kafka.common.KafkaException when no broker does
   */
  List<Reading> open(LogOffsets logs, TopicIds ids) {
    silentSince.values().removeIf(since -> Doorbell.hasPassed(ASKED_AGAIN, since));
    Set<TopicPartition> due = new LinkedHashSet<>(waiting);
    due.removeAll(silentSince.keySet());
    if (due.isEmpty()) {
      return List.of();
    }
    Map<String, TopicDescription> topics = ids.named(names(due));
    Set<TopicPartition> there =
        due.stream()
            .filter(partition -> topics.containsKey(partition.topic()))
            .collect(Collectors.toCollection(LinkedHashSet::new));
    Map<TopicPartition, Position> positions = positions();
    Set<String> unknown =
        names(there.stream().filter(p -> !positions.containsKey(p)).collect(Collectors.toSet()));
    for (String topic : unknown) {
      TopicDescription described = Objects.requireNonNull(topics.get(topic));
      Map<Integer, Long> starts = starts(logs, described);
      if (!starts.isEmpty()) {
        offsets.begin(consumer, topic, TopicIds.id(described), starts);
      }
    }
    if (!unknown.isEmpty()) {
      positions.putAll(positions());
    }
    Set<TopicPartition> led =
        there.stream()
            .filter(
                partition ->
                    TopicIds.isLed(
                        Objects.requireNonNull(topics.get(partition.topic())),
                        partition.partition()))
            .collect(Collectors.toSet());
    LogOffsets.Question firsts = logs.ask(led, OffsetSpec.earliest(), LONGEST_ANSWER);
    LogOffsets.Question ends = logs.ask(led, OffsetSpec.latest(), LONGEST_ANSWER);
    Map<TopicPartition, Long> first = firsts.within(LONGEST_ANSWER);
    Map<TopicPartition, Long> end = ends.within(LONGEST_ANSWER);
    List<Reading> opened = new ArrayList<>();
    for (TopicPartition partition : there) {
      Position position = positions.get(partition);
      Long from = first.get(partition);
      Long to = end.get(partition);
      if (position == null || from == null || to == null) {
        silentSince.put(partition, Doorbell.nanos());
        log.warn("consumer {}: {} waits for its leader to answer", consumer, partition);
        continue;
      }
      UUID topicId = TopicIds.id(Objects.requireNonNull(topics.get(partition.topic())));
      if (position.stopped() == null) {
        if (position.next() > to && !truncated.containsKey(partition) && !isSettled(partition)) {
          continue;
        }
        String doubt = doubt(position, topicId, from, to, truncated.get(partition));
        if (doubt != null) {
          if (!offsets.stop(consumer, position, doubt)) {
            // An operator has set it meanwhile.
            continue;
          }
          log.error("consumer {}: {} is not read any further: {}", consumer, partition, doubt);
          position =
              new Position(position.partition(), position.next(), position.leaderEpoch(), doubt);
        }
      }
      opened.add(
          new Reading(
              position.partition(),
              position.next(),
              position.leaderEpoch(),
              parking.lanes(consumer, position.partition()),
              position.stopped()));
    }
    opened.forEach(reading -> remove(reading.at));
    return opened;
  }

  private boolean isSettled(TopicPartition partition) {
    return Doorbell.hasPassed(
        SETTLED, aheadSince.computeIfAbsent(partition, added -> Doorbell.nanos()));
  }

  /** What is wrong with a position, and what to do about it; null when nothing is. */
  private @Nullable String doubt(
      Position position, UUID topicId, long first, long end, @Nullable String truncation) {
    Partition partition = position.partition();
    String remedy =
        "Nothing was skipped or repeated. Decide where to go on: holdfast consumer continue %s --topic %s --partition %d --offset N"
            .formatted(consumer, partition.topic(), partition.number());
    if (!partition.topicId().equals(topicId)) {
      remedy =
          "Nothing was skipped or repeated. Decide where to go on in the new one: holdfast consumer seek %s --topic %s"
              .formatted(consumer, partition.topic());
      return "the topic was deleted and made again, and offset %,d is one of the topic before. %s"
          .formatted(position.next(), remedy);
    }
    if (truncation != null) {
      return "the log was truncated before offset %,d: %s. %s"
          .formatted(position.next(), truncation, remedy);
    }
    if (position.next() < first) {
      return "records from offset %,d to %,d were deleted before they were handled. %s"
          .formatted(position.next(), first - 1, remedy);
    }
    if (position.next() > end) {
      return "the log ends at offset %,d, before offset %,d: it was truncated, or this is another cluster. %s"
          .formatted(end, position.next(), remedy);
    }
    return null;
  }

  private Map<TopicPartition, Position> positions() {
    Map<TopicPartition, Position> positions = new LinkedHashMap<>();
    for (Position position : offsets.positions(consumer)) {
      positions.put(
          new TopicPartition(position.partition().topic(), position.partition().number()),
          position);
    }
    return positions;
  }

  /** Where all partitions of a topic begin; empty while one of them does not answer. */
  private Map<Integer, Long> starts(LogOffsets logs, TopicDescription described) {
    List<TopicPartition> all = TopicIds.partitions(described);
    Instant from = later.contains(described.name()) ? Instant.MIN : startAt;
    Map<Integer, Long> starts = new HashMap<>();
    logs.starts(all, from, LONGEST_ANSWER)
        .forEach((partition, offset) -> starts.put(partition.partition(), offset));
    return starts.size() == all.size() ? starts : Map.of();
  }

  private static Set<String> names(Set<TopicPartition> partitions) {
    return partitions.stream()
        .map(TopicPartition::topic)
        .collect(Collectors.toCollection(HashSet::new));
  }
}
