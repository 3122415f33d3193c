package dev.holdfast.kafka;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.errors.TransactionalIdNotFoundException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * What the transactional mode needs: the progress topic, the broker's bounds, transactional ids.
 */
final class ClusterChecks {
  private static final long DEFAULT_EXPIRY = Duration.ofDays(7).toMillis();
  private static final long DEFAULT_LONGEST_TRANSACTION = Duration.ofMinutes(15).toMillis();

  private final KafkaPatient patient;

  ClusterChecks(KafkaPatient patient) {
    this.patient = patient;
  }

  List<Finding> progress() {
    String name = patient.settings().progressTopic();
    KafkaPatient.Topic topic = patient.describe(List.of(name)).get(name);
    TopicDescription description = topic == null ? null : topic.description();
    if (description == null) {
      return List.of(
          topic != null && topic.error() instanceof UnknownTopicOrPartitionException
              ? Finding.of(
                  Severity.WARN,
                  "kafka.progress-topic",
                  name,
                  "The progress topic " + name + " does not exist.",
                  "The first leader creates it, if its user may and with the cluster's default replication. If there was one it was deleted, and the last moments will be repeated.",
                  "kafka-topics.sh --bootstrap-server %s --create --topic %s --partitions 16 --replication-factor 3 --config cleanup.policy=compact --config min.insync.replicas=2"
                      .formatted(patient.settings().bootstrapServers(), name),
                  Map.of("topic", name))
              : Finding.unknown(
                  "kafka.progress-topic",
                  name,
                  "The progress topic was not described (%s)."
                      .formatted(topic == null ? "no answer" : String.valueOf(topic.error())),
                  "Let this user describe, read and write it."));
    }
    List<Finding> result = new ArrayList<>();
    Map<String, String> config =
        patient.configs(List.of(name)).getOrDefault(name, Map.of("cleanup.policy", "(not told)"));
    String policy = config.getOrDefault("cleanup.policy", "delete");
    Map<String, Object> evidence =
        Map.of(
            "topic",
            name,
            "cleanup.policy",
            policy,
            "retention.ms",
            config.getOrDefault("retention.ms", "-1"));
    result.add(
        policy.equals("compact")
            ? Finding.ok("kafka.progress-topic", name, "The progress topic is compacted.", evidence)
            : policy.equals("(not told)")
                ? Finding.unknown(
                    "kafka.progress-topic",
                    name,
                    "The progress topic's settings are not told to this user.",
                    "Let this user do DescribeConfigs on it.")
                : Finding.of(
                    Severity.FAIL,
                    "kafka.progress-topic",
                    name,
                    "The progress topic's cleanup.policy is " + policy + ".",
                    "The progress of a channel that is idle for its retention is deleted; the next leader repeats what the database's copy does not know.",
                    "kafka-configs.sh --bootstrap-server %s --alter --topic %s --add-config cleanup.policy=compact"
                        .formatted(patient.settings().bootstrapServers(), name),
                    evidence));
    result.add(TopicChecks.replication("kafka.progress-replication", name, description, config));
    result.add(TopicChecks.access(name, description, AclOperation.READ, AclOperation.WRITE));
    return result;
  }

  List<Finding> broker() {
    Map<String, String> broker = patient.broker();
    return List.of(expiry(broker), timeout(broker));
  }

  private Finding expiry(Map<String, String> broker) {
    long expiry = number(broker, "transactional.id.expiration.ms", DEFAULT_EXPIRY);
    long ours = patient.outbox().retention().toMillis();
    Map<String, Object> evidence =
        Map.of("transactional.id.expiration.ms", expiry, "outbox_retention_ms", ours);
    String found = "The cluster forgets a transactional.id that is idle for " + expiry + " ms.";
    return expiry < ours
        ? Finding.of(
            Severity.WARN,
            "kafka.transactional-id-expiry",
            "",
            found,
            "That is less than the outbox's retention. Progress does not depend on it; but a relay that was paused for longer is no longer known as fenced at the cluster, only in the database.",
            "transactional.id.expiration.ms=604800000 in the settings of the brokers",
            evidence)
        : Finding.ok("kafka.transactional-id-expiry", "", found, evidence);
  }

  private Finding timeout(Map<String, String> broker) {
    long longest = number(broker, "transaction.max.timeout.ms", DEFAULT_LONGEST_TRANSACTION);
    long ours =
        Long.parseLong(
            String.valueOf(
                patient.settings().producer().get(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG)));
    Map<String, Object> evidence =
        Map.of("transaction.max.timeout.ms", longest, "transaction.timeout.ms", ours);
    String found =
        "Transactions may last %d ms, and relays ask for %d ms.".formatted(longest, ours);
    return ours > longest
        ? Finding.of(
            Severity.FAIL,
            "kafka.transaction-timeout",
            "",
            found,
            "The cluster refuses the relay's producer, and its channels are blocked.",
            "transaction.timeout.ms=%d in the relay's settings".formatted(longest),
            evidence)
        : Finding.ok("kafka.transaction-timeout", "", found, evidence);
  }

  private static long number(Map<String, String> settings, String name, long otherwise) {
    String value = settings.get(name);
    return value == null ? otherwise : Long.parseLong(value);
  }

  /** To describe an id that is not in use needs the right that using it needs, or half of it. */
  List<Finding> transactionalIds() {
    List<Finding> result = new ArrayList<>();
    for (String channel : patient.outbox().channels().keySet()) {
      String id = "holdfast-" + patient.outbox().storeId() + "-" + channel;
      try {
        Topics.await(patient.admin().describeTransactions(List.of(id)).description(id));
        result.add(may(channel, id));
      } catch (TransactionalIdNotFoundException e) {
        result.add(may(channel, id));
      } catch (TransactionalIdAuthorizationException e) {
        result.add(
            Finding.of(
                Severity.FAIL,
                "kafka.transactional-id",
                channel,
                "This user may not describe the transactional id " + id + ".",
                "A relay's producer is refused, and the channel is blocked.",
                "kafka-acls.sh --bootstrap-server HOST:PORT --add --allow-principal User:RELAY --operation Describe --operation Write --transactional-id holdfast- --resource-pattern-type prefixed",
                Map.of("transactional_id", id)));
      }
    }
    return result;
  }

  private static Finding may(String channel, String id) {
    return Finding.ok(
        "kafka.transactional-id",
        channel,
        "This user may describe the transactional id of the channel.",
        Map.of("transactional_id", id));
  }
}
