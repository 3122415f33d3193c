package dev.holdfast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The benchmark in small: what is measured here says nothing, that it is measured does. */
class OutboxBenchmarkTest {
  private static final Plan TINY =
      new Plan(200, 1, Duration.ofMillis(200), Duration.ofMillis(200), 200, Duration.ofSeconds(30));

  @SuppressWarnings("NullAway.Init")
  private static Servers servers;

  @BeforeAll
  static void startServers() {
    servers = Servers.start();
  }

  @AfterAll
  static void stopServers() {
    servers.close();
  }

  private static List<Contender> contenders(String... names) {
    return OutboxBenchmark.CONTENDERS.stream()
        .filter(contender -> List.of(names).contains(contender.name()))
        .toList();
  }

  @Tag("long")
  @Test
  void everyScenarioIsReportedInTheCommonFormForThoseWhoTakePart() {
    StringWriter progress = new StringWriter();
    Report report =
        new OutboxBenchmark(
                servers,
                Arrays.asList(Scenario.values()),
                contenders("holdfast", "skip-locked", "plain-row", "kafka-raw"),
                new PrintWriter(progress))
            .measure(TINY);

    JsonNode document = new ObjectMapper().valueToTree(report.document(new Machine().describe()));
    assertThat(document.path("benchmark").asText()).isEqualTo("outbox");
    assertThat(document.path("machine").path("processors").asInt()).isPositive();
    assertThat(document.path("machine").path("load_at_end").asText()).isNotEmpty();
    assertThat(document.path("settings").path("drain_messages").path("holdfast").asInt())
        .isEqualTo(TINY.messages());
    assertThat(document.path("scenarios").findValuesAsText("name"))
        .containsExactly(
            "commit",
            "commit_alone",
            "drain",
            "drain_plain",
            "latency_p50",
            "latency_p99",
            "latency_plain_p50",
            "latency_plain_p99",
            "commit_held",
            "drain_held");
    for (JsonNode scenario : document.path("scenarios")) {
      assertForm(scenario);
    }
    assertThat(report.text())
        .contains("of holdfast", "nothing lost or repeated", "in commits only");
    assertThat(progress.toString()).contains("latency", "skip-locked");
  }

  private static void assertForm(JsonNode scenario) {
    String name = scenario.path("name").asText();
    assertThat(scenario.path("higher_is_better").asBoolean())
        .isEqualTo(!name.startsWith("latency"));
    Set<String> contenders =
        StreamSupport.stream(scenario.path("results").spliterator(), false)
            .map(result -> result.path("contender").asText())
            .collect(Collectors.toSet());
    assertThat(contenders).contains("holdfast", "skip-locked");
    assertThat(contenders.contains("plain-row")).isEqualTo(name.startsWith("commit"));
    assertThat(contenders.contains("kafka-raw")).isEqualTo(name.matches("drain|drain_plain"));
    for (JsonNode result : scenario.path("results")) {
      assertThat(result.path("runs")).hasSize(TINY.rounds());
      assertThat(result.path("value").asDouble())
          .isBetween(result.path("min").asDouble(), result.path("max").asDouble());
      assertThat(result.path("max").asDouble()).as(name).isPositive();
      assertThat(result.path("guarantee").asText()).isNotEmpty();
      assertThat(result.path("lost").asLong()).isZero();
    }
  }

  @ParameterizedTest
  @Tag("long")
  @ValueSource(strings = {"gruelbox", "namastack", "debezium"})
  void peersDeliverWhatTheyFind(String name) {
    Figures drained =
        new Run(servers, TINY, contenders(name).get(0), Measurement.DRAIN, Mode.PLAIN).measure();

    assertThat(drained.arrivals().lost()).isZero();
    assertThat(drained.rate()).isPositive();
  }

  @ParameterizedTest
  @Tag("long")
  @ValueSource(strings = {"gruelbox", "namastack", "debezium"})
  void peersDeliverWhatIsCommittedMeanwhile(String name) {
    Figures paced =
        new Run(servers, TINY, contenders(name).get(0), Measurement.LATENCY, Mode.PLAIN).measure();

    assertThat(paced.arrivals().lost()).isZero();
    assertThat(paced.p99()).isGreaterThanOrEqualTo(paced.p50());
  }

  @Test
  void runThatFailsIsLeftOutAndSaidAndTheOthersCount() {
    Contender broken =
        new SkipLockedContender() {
          @Override
          public Entry enter(Venue venue) {
            throw new BenchmarkFailure("it is broken");
          }
        };

    Report report =
        new OutboxBenchmark(
                servers,
                List.of(Scenario.DRAIN),
                List.of(broken, contenders("kafka-raw").get(0)),
                new PrintWriter(new StringWriter()))
            .measure(TINY);

    assertThat(report.isComplete()).isFalse();
    assertThat(report.text()).contains("left out", "it is broken", "kafka-raw");
    assertThat(report.document(Map.of())).containsKey("failures");
  }

  @Test
  void whatIsLostRepeatedOrOutOfOrderIsCountedAndSaid() {
    Venue venue = servers.venue(Mode.PLAIN);
    try (Sender sender = new Sender(venue);
        Reader reader = new Reader(venue.bootstrapServers(), venue.topic(), 2_002)) {
      for (long number : new long[] {0, 1_001, 1, 1, 2_001}) {
        sender.sendAndWait(Payload.key(number), Payload.of(number));
      }
      do {
        reader.poll((number, nanos) -> {});
      } while (!reader.isAtEnd());

      Arrivals arrivals = reader.arrivals(5);

      assertThat(arrivals).isEqualTo(new Arrivals(1, 1, 1));
      assertThat(Figures.rate(1, arrivals).text())
          .contains("1 lost, 1 repeated, 1 out of their key's order");
    }
  }

  @Test
  void heldSnapshotKeepsRowVersionsAndGivesItsConnectionBackAsItWas() {
    try (HeldSnapshot held = HeldSnapshot.take(servers.pool(), 1_000)) {
      Db.execute(servers.pool(), "vacuum bench_elsewhere");
      assertThat(
              Db.count(
                  servers.pool(),
                  "select pg_relation_size('bench_elsewhere') / current_setting('block_size')::int"))
          .as("pages, of which the rows need 5")
          .isGreaterThan(8);
      assertThat(held).isNotNull();
    }
    Db.transact(servers.pool(), connection -> assertThat(connection.isReadOnly()).isFalse());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--scenarios hope",
        "--contenders hope",
        "--rounds 0",
        "--rounds many",
        "--messages 3",
        "--json /nowhere/figures.json",
        "--scenarios drain --contenders plain-row",
      })
  void whatCannotBeMeasuredIsRefusedBeforeAnythingIsStarted(String line) {
    StringWriter err = new StringWriter();
    StringWriter out = new StringWriter();
    CommandLine command = BenchmarksMain.commandLine();
    command.setErr(new PrintWriter(err, true));
    command.setOut(new PrintWriter(out, true));

    assertThat(command.execute(line.split(" "))).isEqualTo(2);
    assertThat(err.toString()).containsAnyOf("Nothing was started", "--rounds");
    assertThat(out.toString()).doesNotContain("Starting");
  }

  @Test
  void medianOfAnEvenNumberOfRunsIsTheLowerOfTheTwo() {
    assertThat(Results.median(List.of(4.0, 1.0, 3.0, 2.0))).isEqualTo(2.0);
    assertThat(Results.median(List.of(9.0, 1.0, 3.0))).isEqualTo(3.0);
    assertThat(Map.of("p50", Figures.latency(new double[] {3, 1, 2}, Arrivals.NOT_COUNTED).p50()))
        .containsEntry("p50", 2.0);
  }
}
