package dev.holdfast.kafka;

import dev.holdfast.doctor.Finding;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * Examines the Kafka cluster that channels deliver to, and consumers read from: topics,
 * replication, the progress topic, expiry, sizes, access, and where consumers are. Asks as the
 * relay's user would, and changes nothing. Thread-safe; an answer is waited for five seconds.
 */
public final class KafkaDoctor {
  private static final int LONGEST_ANSWER_MILLIS = 5_000;

  private final Settings settings;
  private final Outbox outbox;
  private final List<Reading> readings;
  private final Duration longestLag;

  /**
   * What the outbox wants of the cluster.
   *
   * @param storeId part of the transactional ids
   * @param channels by name, the patterns of the topics that each takes
   * @param topics names of topics that messages were recorded for, beyond those without {@code *}
   * @param retention how long the outbox keeps what is delivered
   * @param maxPayloadBytes the largest payload that it accepts
   */
  public record Outbox(
      UUID storeId,
      Map<String, List<String>> channels,
      List<String> topics,
      Duration retention,
      int maxPayloadBytes) {}

  /**
   * Where a consumer that keeps its offsets in the database is, in one partition.
   *
   * @param topicId which topic of that name it reads
   * @param next the offset of the record that is handled next
   * @param unmoved for how long the offset has stayed where it is
   * @param reads whether it is to go on: neither the consumer is paused nor the partition stopped
   * @param idsKept for how long it remembers the ids of messages; {@code null} when it goes by
   *     offsets alone
   */
  public record Reading(
      String consumer,
      String topic,
      UUID topicId,
      int partition,
      long next,
      Duration unmoved,
      boolean reads,
      @Nullable Duration idsKept) {}

  /** Examines with the settings of a channel's target. */
  public KafkaDoctor(KafkaTarget target, Outbox outbox) {
    this(target, outbox, List.of(), Duration.ZERO);
  }

  /**
   * Examines what is read from the cluster as well.
   *
   * @param readings the partitions that are read
   * @param longestLag how long an offset may stay while there is more; ten times as long fails
   */
  public KafkaDoctor(
      KafkaTarget target, Outbox outbox, List<Reading> readings, Duration longestLag) {
    this.settings = target.settings();
    this.outbox = outbox;
    this.readings = List.copyOf(readings);
    this.longestLag = longestLag;
  }

  /**
   * Asks everything. Never throws for what it finds: a broker that does not answer is a finding.
   */
  public List<Finding> examine() {
    List<Finding> findings = new ArrayList<>();
    try (Admin admin = Admin.create(impatient())) {
      KafkaPatient patient = new KafkaPatient(admin, settings, outbox);
      int brokers = Topics.await(admin.describeCluster().nodes()).size();
      findings.add(
          Finding.ok(
              "kafka.connection",
              settings.bootstrapServers(),
              "The cluster answers, with " + brokers + " broker(s).",
              Map.of("brokers", brokers)));
      findings.addAll(ask("kafka.topics", () -> new TopicChecks(patient).examine()));
      findings.addAll(ask("kafka.progress-topic", () -> new ClusterChecks(patient).progress()));
      findings.addAll(ask("kafka.broker", () -> new ClusterChecks(patient).broker()));
      findings.addAll(
          ask("kafka.transactional-id", () -> new ClusterChecks(patient).transactionalIds()));
      findings.addAll(
          ask(
              "consumer.topic",
              () ->
                  new ConsumptionChecks(patient, readings, longestLag, InstantSource.system())
                      .examine()));
    } catch (KafkaException e) {
      findings.add(
          Finding.unknown(
              "kafka.connection",
              settings.bootstrapServers(),
              "The cluster does not answer (%s).".formatted(e.getMessage()),
              "Check --kafka and the settings of --config, and that the brokers run and can be reached from here by the names that they advertise."));
    }
    return findings.stream().map(this::ready).toList();
  }

  /** With the brokers' address in the remedy, so that it can be pasted. */
  private Finding ready(Finding finding) {
    String remedy = finding.remedy();
    return remedy == null
        ? finding
        : new Finding(
            finding.id(),
            finding.severity(),
            finding.subject(),
            finding.found(),
            finding.meaning(),
            remedy.replace("HOST:PORT", settings.bootstrapServers()),
            finding.evidence());
  }

  private Map<String, Object> impatient() {
    Map<String, Object> config = settings.admin();
    config.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, LONGEST_ANSWER_MILLIS);
    config.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, LONGEST_ANSWER_MILLIS);
    return config;
  }

  /** One kind of question. */
  @FunctionalInterface
  private interface Question {
    List<Finding> examine();
  }

  private static List<Finding> ask(String id, Question question) {
    try {
      return question.examine();
    } catch (KafkaException e) {
      return List.of(
          Finding.unknown(
              id,
              "",
              "There was no answer (%s: %s)."
                  .formatted(e.getClass().getSimpleName(), e.getMessage()),
              "Let this user describe the cluster and its topics (Describe, DescribeConfigs)."));
    }
  }
}
