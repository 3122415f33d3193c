package dev.holdfast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The benchmark in small: what is measured here says nothing, that it is measured does. */
class TwoPhaseBenchmarkTest {
  private static final int OPERATIONS = 100;

  @SuppressWarnings("NullAway.Init")
  private static TwoPhaseServers servers;

  @BeforeAll
  static void startServers() {
    servers = TwoPhaseServers.start();
  }

  @AfterAll
  static void stopServers() {
    servers.close();
  }

  private static TwoPhaseContender contender(String name) {
    return TwoPhaseBenchmark.CONTENDERS.stream()
        .filter(contender -> contender.name().equals(name))
        .findAny()
        .orElseThrow();
  }

  /** A commit, and a preparation and a commit, at each of two servers. */
  @ParameterizedTest
  @CsvSource({"two-commits,2", "raw-xa,4", "narayana,4", "atomikos,4"})
  void forcedWritesOfBothDatabasesAreCounted(String name, double forcedWrites) {
    TwoPhaseRun.Figures figures =
        new TwoPhaseRun(servers, contender(name), TwoPhaseScenario.SYNC_1, OPERATIONS).measure();

    assertThat(figures.rate()).isPositive();
    assertThat(figures.forcedWrites()).isBetween(forcedWrites, forcedWrites + 0.2);
  }

  @Test
  void scenariosAreReportedInTheCommonFormForEveryContender() {
    assertReported(List.of(TwoPhaseScenario.THREADS_16, TwoPhaseScenario.SYNC_1));
  }

  @Tag("long")
  @Test
  void everyScenarioIsReportedForEveryContender() {
    assertReported(Arrays.asList(TwoPhaseScenario.values()));
  }

  private void assertReported(List<TwoPhaseScenario> scenarios) {
    StringWriter progress = new StringWriter();
    CountedReport<TwoPhaseScenario> report =
        new TwoPhaseBenchmark(
                servers,
                scenarios,
                TwoPhaseBenchmark.CONTENDERS,
                OPERATIONS,
                new PrintWriter(progress))
            .rounds()
            .measure(1);

    assertThat(report.isComplete()).as(progress.toString()).isTrue();
    JsonNode document =
        new ObjectMapper()
            .valueToTree(report.document(new Machine().describe(), servers.fileSystem()));
    assertThat(document.path("benchmark").asText()).isEqualTo("twophase");
    assertThat(document.path("machine").path("processors").asInt()).isPositive();
    assertThat(document.path("settings").path("file_system").asText()).isNotEmpty();
    assertThat(document.path("scenarios").findValuesAsText("name"))
        .isEqualTo(scenarios.stream().map(TwoPhaseScenario::id).toList());
    for (JsonNode scenario : document.path("scenarios")) {
      assertThat(scenario.path("unit").asText()).isEqualTo("commits/s");
      assertThat(scenario.path("higher_is_better").asBoolean()).isTrue();
      assertThat(scenario.path("results").findValuesAsText("contender"))
          .isEqualTo(TwoPhaseBenchmark.CONTENDERS.stream().map(TwoPhaseContender::name).toList());
      for (JsonNode result : scenario.path("results")) {
        assertThat(result.path("runs")).hasSize(1);
        assertThat(result.path("value").asDouble())
            .isPositive()
            .isBetween(result.path("min").asDouble(), result.path("max").asDouble());
        assertThat(result.path("forced_writes_per_commit").asDouble()).isPositive();
        assertThat(result.path("guarantee").asText()).isNotEmpty();
      }
    }
    assertThat(report.text()).contains("forced writes", "not atomic", "sync_1");
    assertThat(progress.toString()).contains("narayana", "threads_16");
  }

  @Test
  void runThatLosesHalfOfATransactionHasNoFigures() {
    TwoPhaseContender half =
        new Failing() {
          @Override
          void commit(Connection a, Connection b, long number) throws Exception {
            EntryTable.insert(a, number);
            if (number != 7) {
              EntryTable.insert(b, number);
            }
          }
        };

    assertThatThrownBy(
            () -> new TwoPhaseRun(servers, half, TwoPhaseScenario.SYNC_1, OPERATIONS).measure())
        .isInstanceOf(BenchmarkFailure.class)
        .hasMessageContaining("109 rows");
  }

  @Test
  void runThatLeavesABranchInDoubtHasNoFigures() throws Exception {
    TwoPhaseContender doubtful =
        new Failing() {
          @Override
          void commit(Connection a, Connection b, long number) throws Exception {
            EntryTable.insert(a, number);
            EntryTable.insert(b, number);
            if (number == 7) {
              try (Connection other = DriverManager.getConnection(servers.urlB());
                  Statement statement = other.createStatement()) {
                other.setAutoCommit(false);
                statement.execute("select pg_current_xact_id()");
                statement.execute("prepare transaction 'left'");
              }
            }
          }
        };

    assertThatThrownBy(
            () -> new TwoPhaseRun(servers, doubtful, TwoPhaseScenario.SYNC_1, OPERATIONS).measure())
        .isInstanceOf(BenchmarkFailure.class)
        .hasMessageContaining("1 branches in doubt");
    try (Connection connection = DriverManager.getConnection(servers.urlB());
        Statement statement = connection.createStatement()) {
      statement.execute("rollback prepared 'left'");
    }
  }

  @Test
  void runThatFailsIsLeftOutAndSaidAndTheOthersCount() {
    TwoPhaseContender broken =
        new Failing() {
          @Override
          void commit(Connection a, Connection b, long number) {
            throw new BenchmarkFailure("it is broken");
          }
        };

    CountedReport<TwoPhaseScenario> report =
        new TwoPhaseBenchmark(
                servers,
                List.of(TwoPhaseScenario.SYNC_4),
                List.of(broken, contender("two-commits")),
                OPERATIONS,
                new PrintWriter(new StringWriter()))
            .rounds()
            .measure(1);

    assertThat(report.isComplete()).isFalse();
    assertThat(report.text()).contains("left out", "it is broken", "two-commits");
    assertThat(report.document(Map.of(), "ext4")).containsKey("failures");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--scenarios hope",
        "--contenders hope",
        "--rounds 0",
        "--operations 3",
        "--json /nowhere/figures.json",
      })
  void whatCannotBeMeasuredIsRefusedBeforeAnythingIsStarted(String line) {
    StringWriter err = new StringWriter();
    StringWriter out = new StringWriter();
    CommandLine command = TwoPhaseMain.commandLine();
    command.setErr(new PrintWriter(err, true));
    command.setOut(new PrintWriter(out, true));

    assertThat(command.execute(line.split(" "))).isEqualTo(2);
    assertThat(err.toString()).contains("Nothing was started");
    assertThat(out.toString()).doesNotContain("Starting");
  }

  /** Commits each by itself, after what a test does. */
  private abstract static class Failing implements TwoPhaseContender {
    abstract void commit(Connection a, Connection b, long number) throws Exception;

    @Override
    public String name() {
      return "failing";
    }

    @Override
    public String guarantee(TwoPhaseScenario scenario) {
      return "none";
    }

    @Override
    public Map<String, String> settings() {
      return Map.of();
    }

    @Override
    public TwoPhaseEntry enter(TwoPhaseServers servers, TwoPhaseScenario scenario) {
      return new TwoPhaseEntry() {
        @Override
        public void commit(long number) throws Exception {
          try (Connection a = DriverManager.getConnection(servers.urlA());
              Connection b = DriverManager.getConnection(servers.urlB())) {
            Failing.this.commit(a, b, number);
          }
        }

        @Override
        public void settle() {
          // Nothing is left to do.
        }

        @Override
        public void close() {
          // Every transaction has closed its own.
        }
      };
    }
  }
}
