package dev.holdfast.kafka;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.kafka.KafkaDoctor.Reading;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** The topics that consumers read which keep their offsets in the database. */
final class ConsumptionChecks {
  /** Of a topic's retention: what is older and not handled yet may soon be gone. */
  private static final int LATE_AT_PARTS = 2;

  private static final int LAG_FAILS_AT = 10;

  private final KafkaPatient patient;
  private final List<Reading> readings;
  private final Duration longestLag;
  private final InstantSource clock;

  ConsumptionChecks(
      KafkaPatient patient, List<Reading> readings, Duration longestLag, InstantSource clock) {
    this.patient = patient;
    this.readings = readings;
    this.longestLag = longestLag;
    this.clock = clock;
  }

  /** What the log has of a partition; -1 for late when nothing there is as old. */
  private record Log(long first, long end, long late) {}

  List<Finding> examine() {
    List<Finding> result = new ArrayList<>();
    Map<String, List<Reading>> byTopic =
        readings.stream()
            .collect(Collectors.groupingBy(Reading::topic, TreeMap::new, Collectors.toList()));
    Map<String, KafkaPatient.Topic> topics = patient.describe(byTopic.keySet());
    List<String> there = new ArrayList<>();
    topics.forEach(
        (name, topic) -> {
          if (topic.description() != null) {
            there.add(name);
          }
        });
    Map<String, Map<String, String>> configs = patient.configs(there);
    byTopic.forEach(
        (name, all) -> {
          KafkaPatient.Topic topic = topics.get(name);
          TopicDescription description = topic == null ? null : topic.description();
          if (description == null) {
            result.add(missing(name, topic == null ? null : topic.error()));
          } else {
            result.addAll(
                topic(description, all, configs.getOrDefault(name, Map.<String, String>of())));
          }
        });
    return result;
  }

  private static Finding missing(String topic, @Nullable Throwable error) {
    return error instanceof UnknownTopicOrPartitionException
        ? Finding.of(
            Severity.FAIL,
            "consumer.topic",
            topic,
            "The cluster does not know the topic " + topic + ", which a consumer reads.",
            "It was deleted, and what was not handled is gone; or the consumer reads from another cluster.",
            "holdfast doctor --kafka HOST:PORT, with the brokers that the consumer reads from",
            Map.of("topic", topic))
        : Finding.unknown(
            "consumer.topic",
            topic,
            "The topic was not described (%s).".formatted(error),
            "Let this user describe it.");
  }

  private List<Finding> topic(
      TopicDescription topic, List<Reading> all, Map<String, String> config) {
    UUID id =
        new UUID(
            topic.topicId().getMostSignificantBits(), topic.topicId().getLeastSignificantBits());
    List<Finding> result = new ArrayList<>();
    Map<String, List<Reading>> byConsumer =
        all.stream()
            .collect(Collectors.groupingBy(Reading::consumer, TreeMap::new, Collectors.toList()));
    Map<Integer, Log> log = log(topic, config);
    byConsumer.forEach(
        (consumer, its) -> {
          if (!its.get(0).topicId().equals(id)) {
            result.add(madeAgain(consumer, topic.name()));
            return;
          }
          result.add(partitions(consumer, topic, its));
          its.forEach(reading -> result.addAll(position(reading, log.get(reading.partition()))));
          ids(its.get(0), config).ifPresent(result::add);
        });
    return result;
  }

  private static Finding madeAgain(String consumer, String topic) {
    return Finding.of(
        Severity.FAIL,
        "consumer.topic",
        consumer + ": " + topic,
        "The topic %s was deleted and made again since the consumer began to read it."
            .formatted(topic),
        "Its offsets are those of the topic before; it stops at each partition, and nothing is handled until somebody has decided.",
        "holdfast consumer seek %s --topic %s --kafka HOST:PORT --to-earliest (or --to-latest, --to-time INSTANT)"
            .formatted(consumer, topic),
        Map.of("topic", topic));
  }

  private static Finding partitions(String consumer, TopicDescription topic, List<Reading> its) {
    int there = topic.partitions().size();
    Map<String, Object> evidence = Map.of("partitions", there, "begun", its.size());
    return there > its.size()
        ? Finding.of(
            Severity.WARN,
            "consumer.partitions",
            consumer + ": " + topic.name(),
            "The topic has %d partitions, and the consumer has begun to read %d."
                .formatted(there, its.size()),
            "Partitions were added, which a running consumer begins to read at their first record. Keys have moved to other partitions: the order of a key is not kept across that.",
            "Start the consumer, or see its log. For the order of keys, make a topic anew rather than larger.",
            evidence)
        : Finding.ok(
            "consumer.partitions",
            consumer + ": " + topic.name(),
            "The consumer reads all %d partition(s).".formatted(there),
            evidence);
  }

  private Map<Integer, Log> log(TopicDescription topic, Map<String, String> config) {
    Map<Integer, Long> first = offsets(topic, OffsetSpec.earliest());
    Map<Integer, Long> end = offsets(topic, OffsetSpec.latest());
    long retention = retention(config);
    Map<Integer, Long> late =
        retention < 0
            ? Map.of()
            : offsets(topic, OffsetSpec.forTimestamp(clock.millis() - retention / LATE_AT_PARTS));
    Map<Integer, Log> log = new HashMap<>();
    end.forEach(
        (partition, to) -> {
          // Where no record is as young as that, all are older.
          long young = late.getOrDefault(partition, 0L);
          log.put(
              partition,
              new Log(
                  first.getOrDefault(partition, 0L),
                  to,
                  retention < 0 ? -1 : young < 0 ? to : young));
        });
    return log;
  }

  /** Of records that a {@code read_committed} reader gets. */
  private Map<Integer, Long> offsets(TopicDescription topic, OffsetSpec which) {
    Map<TopicPartition, OffsetSpec> asked = new LinkedHashMap<>();
    topic
        .partitions()
        .forEach(each -> asked.put(new TopicPartition(topic.name(), each.partition()), which));
    Map<TopicPartition, ListOffsetsResultInfo> told =
        Topics.await(
            patient
                .admin()
                .listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                .all());
    Map<Integer, Long> result = new HashMap<>();
    told.forEach((partition, info) -> result.put(partition.partition(), info.offset()));
    return result;
  }

  /** By time; -1 when the topic keeps its records for good, or only by their size. */
  private static long retention(Map<String, String> config) {
    boolean deletes = config.getOrDefault("cleanup.policy", "delete").contains("delete");
    return deletes ? Long.parseLong(config.getOrDefault("retention.ms", "-1")) : -1;
  }

  private List<Finding> position(Reading reading, @Nullable Log log) {
    if (log == null) {
      return List.of();
    }
    String subject =
        "%s: %s-%d".formatted(reading.consumer(), reading.topic(), reading.partition());
    Map<String, Object> evidence = new LinkedHashMap<>();
    evidence.put("next_offset", reading.next());
    evidence.put("first_offset", log.first());
    evidence.put("end_offset", log.end());
    evidence.put("unmoved_seconds", reading.unmoved().toSeconds());
    String goOn =
        "holdfast consumer continue %s --topic %s --partition %d --offset "
            .formatted(reading.consumer(), reading.topic(), reading.partition());
    if (reading.next() < log.first()) {
      return List.of(
          Finding.of(
              Severity.FAIL,
              "consumer.retention",
              subject,
              "Kafka has deleted records from offset %d to %d, which were not handled."
                  .formatted(reading.next(), log.first() - 1),
              "They are lost to this consumer, which stops there, and goes on when somebody has decided.",
              "Look whether they can be had elsewhere; then: " + goOn + log.first(),
              evidence));
    }
    if (reading.next() > log.end()) {
      return List.of(
          Finding.of(
              Severity.FAIL,
              "consumer.topic",
              subject,
              "The log ends at offset %d, before offset %d, where the consumer goes on."
                  .formatted(log.end(), reading.next()),
              "The log was truncated, or this is another cluster; the consumer stops there.",
              "If it was truncated: " + goOn + log.end(),
              evidence));
    }
    List<Finding> result = new ArrayList<>();
    result.add(lag(reading, log, subject, evidence));
    boolean late = reading.next() < log.end() && reading.next() < log.late();
    result.add(
        late
            ? Finding.of(
                Severity.WARN,
                "consumer.retention",
                subject,
                "The next record, at offset %d, is older than half of the topic's retention."
                    .formatted(reading.next()),
                "Kafka deletes it when its retention is over, handled or not.",
                "kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic %s --add-config retention.ms=MORE; then see consumer.lag"
                    .formatted(reading.topic()),
                evidence)
            : Finding.ok(
                "consumer.retention",
                subject,
                "Nothing that is not handled is near the end of its retention.",
                evidence));
    return result;
  }

  private Finding lag(Reading reading, Log log, String subject, Map<String, Object> evidence) {
    long behind = log.end() - reading.next();
    String found =
        behind == 0
            ? "All that is there is handled."
            : "%d record(s) are not handled, and the offset has stayed at %d for %d s."
                .formatted(behind, reading.next(), reading.unmoved().toSeconds());
    if (behind == 0 || !reading.reads() || reading.unmoved().compareTo(longestLag) <= 0) {
      return Finding.ok("consumer.lag", subject, found, evidence);
    }
    return Finding.of(
        reading.unmoved().compareTo(longestLag.multipliedBy(LAG_FAILS_AT)) > 0
            ? Severity.FAIL
            : Severity.WARN,
        "consumer.lag",
        subject,
        found,
        "The consumer is to run, and does not go on here: no process runs it, or its handler takes long, or waits.",
        "Start a process that runs the consumer; if one runs, its log says what it waits for: holdfast consumer status",
        evidence);
  }

  /**
   * Whether Kafka may bring a record again whose id is forgotten, when the consumer is set back.
   */
  private static Optional<Finding> ids(Reading reading, Map<String, String> config) {
    Duration kept = reading.idsKept();
    if (kept == null || config.isEmpty()) {
      return Optional.empty();
    }
    long retention = retention(config);
    String subject = reading.consumer() + ": " + reading.topic();
    String found =
        "The consumer remembers ids for %d s, and Kafka keeps the records of %s %s."
            .formatted(
                kept.toSeconds(),
                reading.topic(),
                retention < 0 ? "for good" : "for " + retention / 1000 + " s");
    Map<String, Object> evidence =
        Map.of("inbox_retention_ms", kept.toMillis(), "retention.ms", retention);
    return Optional.of(
        retention < 0 || kept.toMillis() < retention
            ? Finding.of(
                Severity.WARN,
                "inbox.retention",
                subject,
                found,
                "A consumer that is set back by more than it remembers handles records again, and a message that its producer repeats after that is not known.",
                "InboxSettings.DEFAULT.withRetention(…) in the consumer's withMessageIds, as long as the topic's retention at least; set nothing back by more than that",
                evidence)
            : Finding.ok("inbox.retention", subject, found, evidence));
  }
}
