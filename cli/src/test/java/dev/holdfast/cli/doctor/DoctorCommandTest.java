package dev.holdfast.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.cli.TestKafka;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** The command's statuses and forms; what it finds is tested where it is found. */
class DoctorCommandTest {
  @TempDir Path directory;

  private final String url = TestDatabases.create();

  private Store healthy() {
    Run.line("schema migrate --database", url).result();
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(url);
    Store store = PostgresStore.open(dataSource, "holdfast");
    store.channels().register("orders", List.of("orders"));
    assertThat(store.leases().tryAcquire("channel/orders", "relay-1", Duration.ofHours(1)))
        .isPresent();
    return store;
  }

  private Run doctor(String... more) {
    String[] arguments = new String[more.length + 3];
    arguments[0] = "doctor";
    arguments[1] = "--database";
    arguments[2] = url;
    System.arraycopy(more, 0, arguments, 3, more.length);
    return Run.of(arguments);
  }

  @Test
  void healthyDatabaseIsStatusZeroAndSaysThatNoBrokerWasAsked() {
    healthy();

    String text = doctor("--strict").result();

    assertThat(text)
        .contains("NOT ASKED kafka.connection", "0 failed, 0 without answer, 0 warned of")
        .contains("> holdfast doctor --kafka HOST:PORT");
  }

  @Test
  void failureIsStatusOneAndTheRemedyCanBePasted() {
    Store store = healthy();
    store.channels().setState("orders", ChannelState.STOPPED, "relay", "a clone");

    Run run = doctor();
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).contains("FAIL      channel.state [orders]", "a clone");

    store.channels().setState("orders", ChannelState.RUNNING, "ann", null);
    assertThat(doctor().status()).isZero();
  }

  @Test
  void warningFailsWhenAskedTo() {
    healthy().channels().setState("orders", ChannelState.PAUSED, "ann", "broker upgrade");

    assertThat(doctor().status()).isZero();
    assertThat(doctor("--strict").status()).isEqualTo(1);
  }

  @Test
  void findingsAreJsonWithStatusAndEvidence() throws Exception {
    healthy().channels().setState("orders", ChannelState.STOPPED, "relay", "a clone");

    JsonNode json = new ObjectMapper().readTree(doctor("--json").out());

    assertThat(json.path("status").asInt()).isEqualTo(1);
    assertThat(json.at("/counts/fail").asInt()).isEqualTo(1);
    List<JsonNode> failures = new ArrayList<>();
    json.path("findings").forEach(failures::add);
    failures.removeIf(each -> !each.path("severity").asText().equals("FAIL"));
    assertThat(failures).hasSize(1);
    JsonNode failed = failures.get(0);
    assertThat(failed.path("id").asText()).isEqualTo("channel.state");
    assertThat(failed.path("subject").asText()).isEqualTo("orders");
    assertThat(failed.at("/evidence/reason").asText()).isEqualTo("a clone");
    assertThat(failed.path("remedy").asText()).contains("holdfast outbox resume");
  }

  @Test
  void whatCannotBeAskedIsStatusThree() throws Exception {
    Run nowhere = Run.of("doctor", "--database", "jdbc:postgresql://127.0.0.1:1/x?password=hush");
    assertThat(nowhere.status()).isEqualTo(3);
    assertThat(nowhere.out()).contains("UNKNOWN   database.connection").doesNotContain("hush");

    healthy();
    Run noBroker = doctor("--kafka", "127.0.0.1:1");
    assertThat(noBroker.status()).isEqualTo(3);
    assertThat(noBroker.out()).contains("UNKNOWN   kafka.connection", "--config");
  }

  @Test
  void roleThatIsAskedForIsAMust() {
    healthy();

    assertThat(doctor("--role", "admin").result()).contains("roles.rights");
    assertThat(doctor("--role", "emperor").error()).contains("writer, relay or admin");
    assertThat(doctor("--max-lag", "-1").error()).contains("--max-lag");
  }

  @Tag("long")
  @Test
  void relaysFileNamesDatabaseAndBrokers() throws Exception {
    healthy();
    try (KafkaServer kafka = KafkaServer.start()) {
      Path file = directory.resolve("relay.yaml");
      Files.writeString(
          file,
          "database: {url: \"%s\"}%nkafka: {bootstrap.servers: \"%s\"}%nchannels: {orders: {topics: [orders]}}%n"
              .formatted(url, kafka.bootstrapServers()));

      Run missing = Run.of("doctor", "--config", file.toString());
      assertThat(missing.status()).isEqualTo(1);
      assertThat(missing.out().toLowerCase(Locale.ROOT)).contains("kafka.topics [orders]");

      kafka.createTopic("orders", 1);
      Run there = Run.of("doctor", "--config", file.toString());
      assertThat(there.status()).isZero();
      assertThat(there.out()).contains("WARN      kafka.replication [orders]");
      assertThatEveryIdIsInTheManual(
          Run.of("doctor", "--json", "--config", file.toString()).json().path("findings"));
    }
  }

  private static void assertThatEveryIdIsInTheManual(JsonNode findings) throws IOException {
    String manual = Files.readString(Path.of("..", "docs", "operating.md"));
    assertThat(findings).hasSizeGreaterThan(30);
    assertThat(findings.findValuesAsText("id"))
        .allSatisfy(id -> assertThat(manual).contains("`" + id + "`"));
  }

  @Test
  void consumerThatIsBehindItsTopicIsFoundWithTheBrokersNamedAndPausedWithout() throws Exception {
    Store store = healthy();
    assertThat(doctor("--json").out()).contains("targets.connection");
    TestKafka.createTopic("orders", 1);
    TestKafka.createTopic("payments", 1);
    store.offsets().register("billing");
    store.offsets().begin("billing", "payments", UUID.randomUUID(), Map.of(0, 0L));

    Run again = doctor("--kafka", TestKafka.bootstrapServers());
    assertThat(again.status()).isEqualTo(1);
    assertThat(again.out())
        .contains("FAIL      consumer.topic [billing: payments]")
        .contains(
            "> holdfast consumer seek billing --topic payments --kafka "
                + TestKafka.bootstrapServers());

    store.offsets().pause("billing", "a migration");
    assertThat(doctor().result())
        .contains("WARN      consumer.state [billing]", "> holdfast consumer resume billing");
  }
}
