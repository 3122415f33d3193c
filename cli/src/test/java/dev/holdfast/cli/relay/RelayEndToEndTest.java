package dev.holdfast.cli.relay;

import static dev.holdfast.cli.relay.RelayProcess.BOUND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.cli.TestKafka;
import dev.holdfast.cli.Topics;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The relay as people run it: a process that gets signals. Its publisher knows SQL and nothing
 * else.
 */
class RelayEndToEndTest {
  private static final AtomicInteger DATABASES = new AtomicInteger();

  @TempDir Path directory;

  /** For the tests that end servers. */
  private static final class OwnServers {
    static final PostgresServer POSTGRES = PostgresServer.start();
    static final KafkaServer KAFKA = KafkaServer.start();

    private OwnServers() {}
  }

  private static String newDatabase() {
    String name = "relay_" + DATABASES.incrementAndGet();
    OwnServers.POSTGRES.createDatabase(name);
    return OwnServers.POSTGRES.jdbcUrl(name);
  }

  private static String publish(String database, String topic, String key, String payload)
      throws SQLException {
    try (Connection connection = DriverManager.getConnection(database);
        PreparedStatement statement =
            connection.prepareStatement(
                "select holdfast.publish(topic => ?, key => ?, payload => ?::jsonb, headers =>"
                    + " '{\"tenant\": \"acme\"}')")) {
      statement.setString(1, topic);
      statement.setString(2, key);
      statement.setString(3, payload);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getString(1);
      }
    }
  }

  private static Map<String, String> headers(ConsumerRecord<String, String> row) {
    Map<String, String> headers = new HashMap<>();
    for (Header header : row.headers()) {
      headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8));
    }
    return headers;
  }

  @Test
  void plainSqlBecomesACloudEvent() throws Exception {
    String database = TestDatabases.create();
    TestKafka.createTopic("sql.placed", 1);
    try (RelayProcess relay =
        RelayProcess.start(
            "--database",
            database,
            "--kafka",
            TestKafka.bootstrapServers(),
            "--channel",
            "sql",
            "--topics",
            "sql.*")) {
      String id = publish(database, "sql.placed", "4711", "{\"cents\": 1999}");

      await()
          .atMost(BOUND)
          .until(() -> !Topics.committed(TestKafka.bootstrapServers(), "sql.placed").isEmpty());
      ConsumerRecord<String, String> row =
          Topics.committed(TestKafka.bootstrapServers(), "sql.placed").get(0);
      assertThat(row.key()).isEqualTo("4711");
      assertThat(new ObjectMapper().readTree(row.value()).path("cents").asInt()).isEqualTo(1999);
      assertThat(headers(row))
          .containsEntry("ce_specversion", "1.0")
          .containsEntry("ce_id", id)
          .containsEntry("ce_source", "/holdfast/sql")
          .containsEntry("ce_type", "sql.placed")
          .containsEntry("content-type", "application/json")
          .containsEntry("tenant", "acme")
          .containsKey("ce_time");
      await()
          .atMost(BOUND)
          .until(() -> relay.get("/metrics").figure("holdfast_delivered_total") == 1);
      assertThat(relay.get("/metrics").figure("holdfast_leader")).isEqualTo(1);
      assertThat(relay.get("/health").status()).isEqualTo(200);
      assertThat(relay.log()).contains("channel sql: leading");
      assertThat(relay.terminate()).isZero();
    }
  }

  @Test
  @Tag("long")
  @Attacks({"outbox.recovery.takeover", "outbox.delivery.once", "outbox.order"})
  void standbysGoOnAfterSigkillAndSigtermWithoutLossRepetitionOrDisorder() throws Exception {
    String database = newDatabase();
    OwnServers.KAFKA.createTopic("many.placed", 3);
    Path config = directory.resolve("relay.yaml");
    Files.writeString(
        config,
        """
        database: {url: "%s"}
        kafka: {bootstrap.servers: "%s"}
        channels:
          many: {topics: ["many.*"]}
        relay: {lease_ms: 1000}
        """
            .formatted(database, OwnServers.KAFKA.bootstrapServers()));
    List<RelayProcess> relays = new ArrayList<>();
    AtomicBoolean enough = new AtomicBoolean();
    try {
      for (int instance = 0; instance < 3; instance++) {
        relays.add(RelayProcess.start("--config", config.toString()));
      }
      CompletableFuture<Map<String, Integer>> publishing =
          CompletableFuture.supplyAsync(() -> publishUntil(enough, database));
      RelayProcess first = leader(relays);
      assertThat(relays)
          .allMatch(relay -> relay.get("/health").status() == 200)
          .filteredOn(relay -> relay.get("/health").phase().equals("STANDBY"))
          .hasSize(2);
      awaitDeliveriesOf(first);

      first.kill();
      relays.remove(first);
      RelayProcess second = leader(relays);
      awaitDeliveriesOf(second);

      assertThat(second.terminate()).isZero();
      relays.remove(second);
      RelayProcess third = leader(relays);
      awaitDeliveriesOf(third);

      enough.set(true);
      Map<String, Integer> published = publishing.get();
      int all = published.values().stream().mapToInt(Integer::intValue).sum();
      await()
          .atMost(BOUND)
          .until(
              () ->
                  Topics.committed(OwnServers.KAFKA.bootstrapServers(), "many.placed").size()
                      >= all);
      assertThat(sequences(Topics.committed(OwnServers.KAFKA.bootstrapServers(), "many.placed")))
          .isEqualTo(sequencesUpTo(published));
      assertThat(third.terminate()).isZero();
    } finally {
      enough.set(true);
      relays.forEach(RelayProcess::close);
    }
  }

  /** Publishes one message after the other, numbered within its key; how many each key got. */
  private static Map<String, Integer> publishUntil(AtomicBoolean enough, String database) {
    Map<String, Integer> published = new TreeMap<>();
    try (Connection connection = DriverManager.getConnection(database);
        PreparedStatement statement =
            connection.prepareStatement(
                "select holdfast.publish('many.placed', ?, to_jsonb(?::int)), pg_sleep(0.002)")) {
      for (int count = 0; !enough.get(); count++) {
        String key = "key-" + count % 7;
        int sequence = published.merge(key, 1, Integer::sum);
        statement.setString(1, key);
        statement.setInt(2, sequence);
        statement.execute();
      }
      return published;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static RelayProcess leader(List<RelayProcess> relays) {
    await().atMost(BOUND).until(() -> relays.stream().filter(RelayProcess::leads).count() == 1);
    return relays.stream().filter(RelayProcess::leads).findFirst().orElseThrow();
  }

  private static void awaitDeliveriesOf(RelayProcess relay) {
    await()
        .atMost(BOUND)
        .until(() -> relay.get("/metrics").figure("holdfast_delivered_total") > 50);
  }

  private static Map<String, List<Integer>> sequences(List<ConsumerRecord<String, String>> rows) {
    Map<String, List<Integer>> sequences = new TreeMap<>();
    for (ConsumerRecord<String, String> row : rows) {
      sequences
          .computeIfAbsent(row.key(), key -> new ArrayList<>())
          .add(Integer.parseInt(row.value()));
    }
    return sequences;
  }

  private static Map<String, List<Integer>> sequencesUpTo(Map<String, Integer> counts) {
    Map<String, List<Integer>> sequences = new TreeMap<>();
    counts.forEach(
        (key, count) -> {
          List<Integer> all = new ArrayList<>();
          for (int sequence = 1; sequence <= count; sequence++) {
            all.add(sequence);
          }
          sequences.put(key, all);
        });
    return sequences;
  }

  @Tag("long")
  @Test
  void healthAndMetricsFollowTheServers() throws Exception {
    String database = newDatabase();
    OwnServers.KAFKA.createTopic("health.placed", 1);
    try (RelayProcess relay =
        RelayProcess.start(
            "--database",
            database,
            "--kafka",
            OwnServers.KAFKA.bootstrapServers(),
            "--channel",
            "health",
            "--topics",
            "health.*")) {
      await().atMost(BOUND).until(relay::leads);

      OwnServers.KAFKA.kill();
      publish(database, "health.placed", "k", "1");
      await().atMost(BOUND).until(() -> relay.get("/health").status() == 503);
      assertThat(relay.get("/health").channel().path("problem").asText()).contains("Kafka");
      assertThat(relay.get("/health").status()).isEqualTo(503);
      assertThat(relay.get("/metrics").figure("holdfast_lag_messages")).isEqualTo(1);
      assertThat(relay.get("/metrics").figure("holdfast_leader")).isZero();
      OwnServers.KAFKA.restart();
      await().atMost(BOUND).until(() -> relay.get("/health").status() == 200 && relay.leads());
      await()
          .atMost(BOUND)
          .until(
              () ->
                  Topics.committed(OwnServers.KAFKA.bootstrapServers(), "health.placed").size()
                      == 1);

      OwnServers.POSTGRES.killServer();
      await().atMost(BOUND).until(() -> relay.get("/health").status() == 503);
      assertThat(relay.get("/metrics").figure("holdfast_lag_messages")).isNaN();
      assertThat(relay.get("/metrics").figure("holdfast_delivered_total")).isEqualTo(1);
      OwnServers.POSTGRES.restart();
      await().atMost(BOUND).until(() -> relay.get("/health").status() == 200 && relay.leads());

      Run.line("outbox pause --channel health --database", database).result();
      await().atMost(BOUND).until(() -> relay.get("/health").phase().equals("PAUSED"));
      assertThat(relay.get("/health").status()).isEqualTo(200);

      OwnServers.POSTGRES.killServer();
      await().atMost(BOUND).until(() -> relay.get("/health").status() == 503);
      assertThat(relay.terminate()).isZero();
      assertThat(relay.log()).doesNotContain("\tat ");
    } finally {
      OwnServers.POSTGRES.restart();
    }
  }

  @Test
  void embeddedServersAreForTryingOutAndEndWithTheRelay() throws Exception {
    try (RelayProcess relay = RelayProcess.start("--embedded", "--topics", "try.placed")) {
      String database = found(relay, "PostgreSQL: (jdbc:\\S+)");
      String bootstrapServers = found(relay, "Kafka: (\\S+)");

      publish(database, "try.placed", "k", "1");

      await()
          .atMost(BOUND)
          .until(() -> Topics.committed(bootstrapServers, "try.placed").size() == 1);
      List<ProcessHandle> servers = relay.servers();
      assertThat(servers).isNotEmpty();
      assertThat(relay.terminate()).isZero();
      await().atMost(BOUND).until(() -> servers.stream().noneMatch(ProcessHandle::isAlive));
    }
  }

  private static String found(RelayProcess relay, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(relay.log());
    assertThat(matcher.find()).as(relay.log()).isTrue();
    return matcher.group(1);
  }
}
