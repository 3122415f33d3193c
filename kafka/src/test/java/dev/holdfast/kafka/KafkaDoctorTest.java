package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** A cluster with an authorizer, and topics that are as they should be, or ill in one way. */
final class KafkaDoctorTest {
  private static final UUID STORE = UUID.randomUUID();
  private static final KafkaServer KAFKA =
      KafkaServer.builder()
          .setting(
              "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
          .setting("allow.everyone.if.no.acl.found", "true")
          .start();

  @AfterAll
  static void close() {
    KAFKA.close();
  }

  private static void create(String topic, Map<String, String> settings) {
    try (Admin admin = admin()) {
      Topics.await(
          admin
              .createTopics(
                  List.of(
                      new NewTopic(topic, Optional.of(2), Optional.<Short>empty())
                          .configs(settings)))
              .all());
    }
  }

  private static Admin admin() {
    return Admin.create(Map.<String, Object>of("bootstrap.servers", KAFKA.bootstrapServers()));
  }

  private static void deny(ResourceType type, String name, AclOperation operation) {
    try (Admin admin = admin()) {
      // Who is denied nothing is named, too: a resource with a rule is closed to all others.
      for (AclPermissionType permission :
          List.of(AclPermissionType.ALLOW, AclPermissionType.DENY)) {
        AclOperation each = permission == AclPermissionType.ALLOW ? AclOperation.ALL : operation;
        Topics.await(
            admin
                .createAcls(
                    List.of(
                        new AclBinding(
                            new ResourcePattern(type, name, PatternType.LITERAL),
                            new AccessControlEntry("User:ANONYMOUS", "*", each, permission))))
                .all());
      }
    }
  }

  private static List<Finding> examine(
      Map<String, Object> settings, List<String> patterns, Duration retention, int payload) {
    Map<String, Object> all = new HashMap<>(settings);
    all.putIfAbsent("bootstrap.servers", KAFKA.bootstrapServers());
    return new KafkaDoctor(
            Kafka.to(all).progressTopic("progress-of-" + patterns.get(0).replace("*", "all")),
            new KafkaDoctor.Outbox(
                STORE, Map.of("c-" + patterns.get(0), patterns), List.of(), retention, payload))
        .examine();
  }

  private static List<Finding> examine(String... patterns) {
    return examine(Map.of(), List.of(patterns), Duration.ofHours(1), 900_000);
  }

  private static Severity severity(List<Finding> findings, String id, String subject) {
    return findings.stream()
        .filter(each -> each.id().equals(id) && each.subject().equals(subject))
        .map(Finding::severity)
        .reduce((a, b) -> a.compareTo(b) > 0 ? a : b)
        .orElseThrow(() -> new AssertionError(id + " of " + subject + " is not in " + findings));
  }

  @Test
  void clusterOfOneIsWarnedOfForItsReplicationAlone() {
    create("well.placed", Map.of());
    create("progress-of-well.all", Map.of("cleanup.policy", "compact"));

    List<Finding> findings = examine("well.*");

    assertThat(findings)
        .filteredOn(each -> each.severity() != Severity.OK)
        .extracting(Finding::id)
        .containsExactlyInAnyOrder("kafka.replication", "kafka.progress-replication");
    assertThat(findings)
        .extracting(Finding::id)
        .contains(
            "kafka.connection",
            "kafka.access",
            "kafka.message-size",
            "kafka.retention",
            "kafka.progress-topic",
            "kafka.transactional-id-expiry",
            "kafka.transaction-timeout",
            "kafka.transactional-id");
  }

  @Test
  void clusterThatDoesNotAnswerIsOneFinding() {
    List<Finding> findings =
        examine(
            Map.of("bootstrap.servers", "127.0.0.1:1"), List.of("x"), Duration.ofHours(1), 1000);

    assertThat(findings).hasSize(1);
    assertThat(findings.get(0).severity()).isEqualTo(Severity.UNKNOWN);
    assertThat(findings.get(0).id()).isEqualTo("kafka.connection");
  }

  @Test
  void missingTopicsFailAndAPatternWithoutAnyIsWarnedOf() {
    List<Finding> findings = examine("nowhere", "none.*");

    assertThat(severity(findings, "kafka.topics", "nowhere")).isEqualTo(Severity.FAIL);
    assertThat(severity(findings, "kafka.topics", "none.*")).isEqualTo(Severity.WARN);
    assertThat(severity(findings, "kafka.progress-topic", "progress-of-nowhere"))
        .isEqualTo(Severity.WARN);
    assertThat(findings)
        .filteredOn(each -> each.severity() != Severity.OK)
        .allSatisfy(
            each -> {
              assertThat(each.meaning()).isNotBlank();
              assertThat(each.remedy()).isNotBlank();
            });
  }

  @Test
  void topicThatMayElectAnUncleanLeaderFails() {
    create("unclean", Map.of("unclean.leader.election.enable", "true"));

    assertThat(severity(examine("unclean"), "kafka.replication", "unclean"))
        .isEqualTo(Severity.FAIL);
  }

  @Test
  void topicThatTakesLessThanTheOutboxIsWarnedOf() {
    create("small", Map.of("max.message.bytes", "1000"));

    assertThat(severity(examine("small"), "kafka.message-size", "small")).isEqualTo(Severity.WARN);
  }

  @Test
  void topicThatForgetsBeforeTheOutboxDoesIsWarnedOf() {
    create("short", Map.of("retention.ms", "60000"));

    assertThat(severity(examine("short"), "kafka.retention", "short")).isEqualTo(Severity.WARN);
  }

  @Test
  void progressTopicThatIsNotCompactedFails() {
    create("ordinary", Map.of());
    create("progress-of-ordinary", Map.of("cleanup.policy", "delete"));

    assertThat(severity(examine("ordinary"), "kafka.progress-topic", "progress-of-ordinary"))
        .isEqualTo(Severity.FAIL);
  }

  @Test
  void boundsOfTheBrokerAreComparedWithOurs() {
    create("bounds", Map.of());

    List<Finding> findings =
        examine(
            Map.of("transaction.timeout.ms", 1_800_000),
            List.of("bounds"),
            Duration.ofDays(8),
            1000);

    assertThat(severity(findings, "kafka.transaction-timeout", "")).isEqualTo(Severity.FAIL);
    assertThat(severity(findings, "kafka.transactional-id-expiry", "")).isEqualTo(Severity.WARN);
  }

  @Test
  void deniedAccessIsFound() {
    create("secret", Map.of());
    create("closed", Map.of());
    deny(ResourceType.TOPIC, "secret", AclOperation.WRITE);
    deny(ResourceType.TOPIC, "closed", AclOperation.DESCRIBE);
    deny(ResourceType.TRANSACTIONAL_ID, "holdfast-" + STORE + "-c-secret", AclOperation.DESCRIBE);

    List<Finding> findings = examine("secret", "closed");

    assertThat(severity(findings, "kafka.access", "secret")).isEqualTo(Severity.FAIL);
    assertThat(findings)
        .filteredOn(each -> each.id().equals("kafka.access") && each.subject().equals("secret"))
        .extracting(Finding::remedy)
        .containsExactly(
            "kafka-acls.sh --bootstrap-server %s --add --allow-principal User:RELAY --operation Describe --operation Write --topic secret"
                .formatted(KAFKA.bootstrapServers()));
    assertThat(severity(findings, "kafka.access", "closed")).isEqualTo(Severity.FAIL);
    assertThat(severity(findings, "kafka.transactional-id", "c-secret")).isEqualTo(Severity.FAIL);
  }

  private static Severity replicas(int count, int inSync, String minimum) {
    List<Node> nodes =
        List.of(new Node(1, "a", 1), new Node(2, "b", 1), new Node(3, "c", 1)).subList(0, count);
    TopicDescription topic =
        new TopicDescription(
            "t",
            false,
            List.of(new TopicPartitionInfo(0, nodes.get(0), nodes, nodes.subList(0, inSync))));
    return TopicChecks.replication(
            "kafka.replication", "t", topic, Map.of("min.insync.replicas", minimum))
        .severity();
  }

  /** A description as a larger cluster gives it: one of several brokers is not at hand here. */
  @Test
  void replicasAreCounted() {
    assertThat(replicas(3, 3, "2")).isEqualTo(Severity.OK);
    assertThat(replicas(3, 2, "2")).isEqualTo(Severity.OK);
    assertThat(replicas(3, 1, "2")).isEqualTo(Severity.FAIL);
    assertThat(replicas(3, 3, "1")).isEqualTo(Severity.WARN);
    assertThat(replicas(1, 1, "1")).isEqualTo(Severity.WARN);
  }
}
