package dev.holdfast.kafka;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** The topics delivered to. */
final class TopicChecks {
  /** What a record is larger by than its payload: key, headers, framing. */
  private static final int ENVELOPE_BYTES = 20_000;

  private static final int ENOUGH_REPLICAS = 2;

  private final KafkaPatient patient;

  TopicChecks(KafkaPatient patient) {
    this.patient = patient;
  }

  List<Finding> examine() {
    List<Finding> result = new ArrayList<>();
    for (String pattern : patient.patterns()) {
      if (pattern.contains("*") && patient.matching(pattern).isEmpty()) {
        result.add(
            Finding.of(
                Severity.WARN,
                "kafka.topics",
                pattern,
                "The cluster has no topic that matches " + pattern + ".",
                "What is published to such topics is parked until they are created.",
                "kafka-topics.sh --bootstrap-server %s --create --topic NAME --partitions 6 --replication-factor 3"
                    .formatted(patient.settings().bootstrapServers()),
                Map.of("pattern", pattern)));
      }
    }
    Map<String, KafkaPatient.Topic> topics = new TreeMap<>(patient.describe(patient.wanted()));
    Map<String, TopicDescription> there = new TreeMap<>();
    topics.forEach(
        (name, topic) -> {
          TopicDescription description = topic.description();
          if (description == null) {
            result.add(missing(name, topic));
          } else {
            there.put(name, description);
          }
        });
    Map<String, Map<String, String>> configs = patient.configs(there.keySet());
    there.forEach(
        (name, description) -> {
          Map<String, String> config = configs.get(name);
          result.add(access(name, description, AclOperation.WRITE));
          result.add(replication("kafka.replication", name, description, config));
          if (config == null) {
            result.add(
                Finding.unknown(
                    "kafka.topics",
                    name,
                    "The settings of the topic " + name + " are not told to this user.",
                    "Let this user do DescribeConfigs on it."));
          } else {
            result.add(size(name, config));
            result.add(retention(name, config));
          }
        });
    if (result.isEmpty()) {
      result.add(Finding.ok("kafka.topics", "No topics are named."));
    }
    return result;
  }

  private Finding missing(String name, KafkaPatient.Topic topic) {
    if (topic.error() instanceof UnknownTopicOrPartitionException) {
      return Finding.of(
          Severity.FAIL,
          "kafka.topics",
          name,
          "The cluster does not know the topic " + name + ".",
          "What is published to it is parked, with the later messages of its keys.",
          "kafka-topics.sh --bootstrap-server %s --create --topic %s --partitions 6 --replication-factor 3; then: holdfast outbox unpark"
              .formatted(patient.settings().bootstrapServers(), name),
          Map.of("topic", name));
    }
    if (topic.error() instanceof InvalidTopicException) {
      return Finding.of(
          Severity.FAIL,
          "kafka.topics",
          name,
          "The cluster does not allow the topic name " + name + ".",
          "What is published to it is parked.",
          "Publish to another topic.",
          Map.of("topic", name));
    }
    if (topic.error() instanceof TopicAuthorizationException) {
      return denied(name, AclOperation.DESCRIBE);
    }
    return Finding.unknown(
        "kafka.topics",
        name,
        "The topic was not described (%s).".formatted(topic.error()),
        "Let this user describe it.");
  }

  /** A broker without an authorizer allows everything; one that does not say leaves it open. */
  static Finding access(String name, TopicDescription description, AclOperation... wanted) {
    @Nullable Set<AclOperation> allowed = description.authorizedOperations();
    if (allowed == null) {
      return new Finding(
          "kafka.access",
          Severity.NOT_ASKED,
          name,
          "The cluster does not tell what this user may do with the topic " + name + ".",
          null,
          null,
          Map.of());
    }
    for (AclOperation operation : wanted) {
      if (!allowed.contains(operation) && !allowed.contains(AclOperation.ALL)) {
        return denied(name, operation);
      }
    }
    return Finding.ok("kafka.access", name, "This user may use the topic " + name + ".", Map.of());
  }

  private static Finding denied(String name, AclOperation operation) {
    return Finding.of(
        Severity.FAIL,
        "kafka.access",
        name,
        "This user may not %s the topic %s.".formatted(operation.name(), name),
        "What is published to it is parked.",
        "kafka-acls.sh --bootstrap-server HOST:PORT --add --allow-principal User:RELAY --operation Describe --operation %s --topic %s"
            .formatted(
                Character.toUpperCase(operation.name().charAt(0))
                    + operation.name().substring(1).toLowerCase(Locale.ROOT),
                name),
        Map.of("topic", name, "operation", operation.name()));
  }

  static Finding replication(
      String id, String name, TopicDescription topic, @Nullable Map<String, String> config) {
    int replicas =
        topic.partitions().stream().mapToInt(each -> each.replicas().size()).min().orElse(0);
    int inSync = topic.partitions().stream().mapToInt(each -> each.isr().size()).min().orElse(0);
    String minimum = config == null ? "1" : config.getOrDefault("min.insync.replicas", "1");
    boolean unclean = config != null && "true".equals(config.get("unclean.leader.election.enable"));
    Map<String, Object> evidence =
        Map.of(
            "partitions", topic.partitions().size(),
            "replication_factor", replicas,
            "in_sync_replicas", inSync,
            "min.insync.replicas", minimum,
            "unclean.leader.election.enable", unclean);
    String found =
        "The topic %s has %d replica(s), %d in sync, of which %s must have a record."
            .formatted(name, replicas, inSync, minimum);
    String alter = "kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic " + name;
    if (unclean) {
      return Finding.of(
          Severity.FAIL,
          id,
          name,
          "The topic " + name + " may elect a leader that lacks what was acknowledged.",
          "Messages that were delivered can be lost.",
          alter + " --add-config unclean.leader.election.enable=false",
          evidence);
    }
    if (inSync < Integer.parseInt(minimum)) {
      return Finding.of(
          Severity.FAIL,
          id,
          name,
          found,
          "Nothing can be written to it; its channel waits.",
          "Start the brokers that are missing: kafka-topics.sh --describe --under-min-isr-partitions",
          evidence);
    }
    if (replicas < ENOUGH_REPLICAS || Integer.parseInt(minimum) < ENOUGH_REPLICAS) {
      return Finding.of(
          Severity.WARN,
          id,
          name,
          found,
          "One broker that loses its disk, or its memory at a power cut, can lose what was delivered; the outbox keeps it for its retention.",
          replicas < ENOUGH_REPLICAS
              ? "kafka-reassign-partitions.sh, to three replicas; then: "
                  + alter
                  + " --add-config min.insync.replicas=2"
              : alter + " --add-config min.insync.replicas=2",
          evidence);
    }
    return Finding.ok(id, name, found, evidence);
  }

  private Finding size(String name, Map<String, String> config) {
    long largest = Long.parseLong(config.getOrDefault("max.message.bytes", "1048588"));
    long request = patient.settings().maxRequestSize();
    int payload = patient.outbox().maxPayloadBytes();
    Map<String, Object> evidence =
        Map.of(
            "max_payload_bytes", payload,
            "max.request.size", request,
            "max.message.bytes", largest);
    String found =
        "The outbox takes payloads of %d bytes, the producer records of %d, the topic %s batches of %d."
            .formatted(payload, request, name, largest);
    return Math.min(largest, request) < payload + ENVELOPE_BYTES
        ? Finding.of(
            Severity.WARN,
            "kafka.message-size",
            name,
            found,
            "The largest messages are accepted when they are published, and then parked.",
            "kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic %s --add-config max.message.bytes=%d; max.request.size in the relay's settings to no more than that; or a smaller maxPayloadBytes"
                .formatted(name, Math.max(largest, payload + 2L * ENVELOPE_BYTES)),
            evidence)
        : Finding.ok("kafka.message-size", name, found, evidence);
  }

  private Finding retention(String name, Map<String, String> config) {
    long keeps = Long.parseLong(config.getOrDefault("retention.ms", "-1"));
    long ours = patient.outbox().retention().toMillis();
    boolean deletes = config.getOrDefault("cleanup.policy", "delete").contains("delete");
    Map<String, Object> evidence = Map.of("retention.ms", keeps, "outbox_retention_ms", ours);
    String found =
        "The topic %s keeps records for %s, the outbox for %d ms."
            .formatted(name, keeps < 0 || !deletes ? "good" : keeps + " ms", ours);
    return deletes && keeps >= 0 && keeps < ours
        ? Finding.of(
            Severity.WARN,
            "kafka.retention",
            name,
            found,
            "A consumer that is behind by more than that misses messages that the outbox still has.",
            "kafka-configs.sh --bootstrap-server HOST:PORT --alter --topic %s --add-config retention.ms=604800000"
                .formatted(name),
            evidence)
        : Finding.ok("kafka.retention", name, found, evidence);
  }
}
