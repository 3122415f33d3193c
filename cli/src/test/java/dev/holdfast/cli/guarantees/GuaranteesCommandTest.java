package dev.holdfast.cli.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.postgres.PostgresStore;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What is promised, and what is left of it at a weak database and a weak cluster. */
class GuaranteesCommandTest {

  private static String migrated(String url) {
    Run.line("schema migrate --database", url).result();
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(url);
    PostgresStore.open(dataSource, "holdfast").channels().register("orders", List.of("orders"));
    return url;
  }

  private static JsonNode clause(JsonNode json, int guarantee, String id) {
    for (JsonNode clause : json.path("guarantees").path(guarantee).path("clauses")) {
      if (clause.path("id").asText().equals(id)) {
        return clause;
      }
    }
    throw new AssertionError("no clause " + id + " in " + json);
  }

  private static JsonNode json(Run run) throws IOException {
    return new ObjectMapper().readTree(run.out());
  }

  private static void electUncleanLeaders(KafkaServer kafka, String topic) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      admin
          .incrementalAlterConfigs(
              Map.of(
                  new ConfigResource(ConfigResource.Type.TOPIC, topic),
                  List.of(
                      new AlterConfigOp(
                          new ConfigEntry("unclean.leader.election.enable", "true"),
                          AlterConfigOp.OpType.SET))))
          .all()
          .get();
    }
  }

  @Test
  void withoutServersItIsTheModelAlone() throws IOException {
    String text = Run.of("guarantees").result();
    assertThat(text)
        .contains(
            "transact at postgresql",
            "outbox from postgresql to kafka\n",
            "outbox from postgresql to kafka (plain)\n",
            "outbox.delivery.once, at kafka\n",
            "outbox.delivery.repeats, at kafka (plain)\n",
            "outbox.delivery.deduplicated, at jms (artemis, deduplicating)\n",
            "receiver from http requests to postgresql\n",
            "receiver.busy, at postgresql\n",
            "consumer from kafka to postgresql\n",
            "listener from jms to postgresql\n",
            "listener from rabbitmq to postgresql\n",
            "two-phase commit of postgresql with postgresql\n",
            "two-phase commit of postgresql with mariadb\n",
            "twophase.recovery.live-owner, at mariadb\n",
            "kafka offers progress mark, order per key; its acknowledgment means replicated.",
            "deduplication for 300 s",
            "Consumers read with isolation.level=read_committed. Nobody can be asked.")
        .doesNotContain("Of all clauses");

    Run run = Run.of("guarantees", "--json");
    assertThat(run.status()).isZero();
    JsonNode once = clause(json(run), 1, "outbox.delivery.once");
    assertThat(once.path("standing").asText()).isEqualTo("ASSUMED");
    JsonNode kafka = json(run).path("guarantees").path(1).path("between").path(1);
    assertThat(kafka.path("acknowledgment").asText()).isEqualTo("REPLICATED");
    assertThat(kafka.path("capabilities").toString()).contains("PROGRESS_MARK");
    assertThat(once.path("attacked_by").toString()).contains("RelayCrashTest.aDeath");
  }

  @Test
  void soundDatabaseTakesNothingAway() throws IOException {
    Run run = Run.of("guarantees", "--json", "--database", migrated(TestDatabases.create()));

    assertThat(run.status()).isZero();
    JsonNode atomicity = clause(json(run), 0, "transact.atomicity");
    assertThat(atomicity.path("standing").asText()).isEqualTo("HOLDS");
    assertThat(atomicity.path("because")).isEmpty();
  }

  @Test
  void weakDatabaseTakesAwayWhatRestsOnIt() throws IOException {
    try (PostgresServer weak =
        PostgresServer.builder()
            .setting("fsync", "off")
            .setting("synchronous_commit", "off")
            .start()) {
      String url = migrated(weak.jdbcUrl());

      Run run = Run.of("guarantees", "--database", url);
      assertThat(run.status()).isEqualTo(1);
      assertThat(run.out())
          .contains(
              "outbox.delivery.none-lost, at kafka: DOES NOT HOLD",
              "! fsync is off. A crash of the machine can lose or corrupt what was committed",
              "> alter system set fsync = on",
              "! synchronous_commit is off by default.")
          .contains("transact.repeat, at postgresql: HOLDS");
      JsonNode durability =
          clause(json(Run.of("guarantees", "--json", "--database", url)), 0, "transact.durability");
      assertThat(durability.path("standing").asText()).isEqualTo("DOES_NOT_HOLD");
      assertThat(durability.path("because").findValuesAsText("finding"))
          .contains("database.fsync", "database.synchronous-commit");
    }
  }

  /** Both or neither, and nothing is invented: only what the caller was told may be untrue. */
  @Test
  void databaseThatDoesNotWaitForItsDiskWeakensAnswersAlone() throws Exception {
    String url = migrated(TestDatabases.create());
    TestDatabases.execute(
        url, "alter database " + url.replaceAll(".*/|[?].*", "") + " set synchronous_commit = off");

    Run run = Run.of("guarantees", "--json", "--database", url);
    assertThat(run.status()).isZero();
    for (String id : List.of("transact.answer", "transact.durability")) {
      assertThat(clause(json(run), 0, id).path("standing").asText()).isEqualTo("WEAKENED");
    }
    assertThat(clause(json(run), 0, "transact.atomicity").path("standing").asText())
        .isEqualTo("HOLDS");
    assertThat(clause(json(run), 1, "outbox.delivery.none-invented").path("standing").asText())
        .isEqualTo("HOLDS");
  }

  @Tag("long")
  @Test
  void clusterOfOneWeakensWhatItKeepsAndAnUncleanOneBreaksIt() throws Exception {
    String url = migrated(TestDatabases.create());
    try (KafkaServer kafka = KafkaServer.start()) {
      kafka.createTopic("orders", 1);
      String[] arguments = {
        "guarantees", "--json", "--database", url, "--kafka", kafka.bootstrapServers()
      };

      Run run = Run.of(arguments);
      assertThat(run.status()).isZero();
      JsonNode once = clause(json(run), 1, "outbox.delivery.once");
      assertThat(once.path("standing").asText()).isEqualTo("WEAKENED");
      assertThat(once.path("because").findValuesAsText("finding")).contains("kafka.replication");
      assertThat(clause(json(run), 0, "transact.durability").path("standing").asText())
          .isEqualTo("HOLDS");
      assertThat(
              Run.of("guarantees", "--strict", "--database", url, "--kafka", arguments[5]).status())
          .isEqualTo(1);

      electUncleanLeaders(kafka, "orders");
      Run unclean = Run.of(arguments);
      assertThat(unclean.status()).isEqualTo(1);
      assertThat(clause(json(unclean), 2, "outbox.delivery.repeats").path("standing").asText())
          .isEqualTo("DOES_NOT_HOLD");
    }
  }

  @Test
  void serversThatDoNotAnswerLeaveItOpen() throws IOException {
    Run run =
        Run.of(
            "guarantees", "--json", "--database", "jdbc:postgresql://127.0.0.1:1/x?password=hush");

    assertThat(run.status()).isEqualTo(3);
    assertThat(run.out()).doesNotContain("hush");
    assertThat(clause(json(run), 0, "transact.durability").path("standing").asText())
        .isEqualTo("NOT_KNOWN");
    assertThat(clause(json(run), 0, "transact.repeat").path("standing").asText())
        .isEqualTo("HOLDS");
  }

  @Test
  void argumentsThatDoNotGoTogetherAreRefused() {
    assertThat(Run.of("guarantees", "--json", "--markdown").error()).contains("Leave one out");
    assertThat(Run.of("guarantees", "--markdown", "--database", TestDatabases.create()).error())
        .contains("no server in particular");
    assertThat(Run.of("guarantees", "--kafka", "127.0.0.1:1").error()).contains("database");
  }
}
