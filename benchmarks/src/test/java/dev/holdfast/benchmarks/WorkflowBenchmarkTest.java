package dev.holdfast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The benchmark in small: what is measured here says nothing, that it is measured does. */
class WorkflowBenchmarkTest {
  private static final int WORKFLOWS = 100;

  @SuppressWarnings("NullAway.Init")
  private static CountedServer server;

  @BeforeAll
  static void startServer() {
    server = CountedServer.start();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  private static CountedReport<WorkflowScenario> report(
      List<WorkflowScenario> scenarios, List<WorkflowContender> contenders, StringWriter progress) {
    return new WorkflowBenchmark(
            server, scenarios, contenders, WORKFLOWS, new PrintWriter(progress))
        .rounds()
        .measure(1);
  }

  @Test
  void scenariosAreReportedInTheCommonFormForEveryContender() {
    assertReported(List.of(WorkflowScenario.INFLIGHT_16, WorkflowScenario.P99_16));
  }

  @Tag("long")
  @Test
  void everyScenarioIsReportedForEveryContender() {
    assertReported(Arrays.asList(WorkflowScenario.values()));
  }

  private void assertReported(List<WorkflowScenario> scenarios) {
    StringWriter progress = new StringWriter();
    CountedReport<WorkflowScenario> report =
        report(scenarios, WorkflowBenchmark.CONTENDERS, progress);

    assertThat(report.isComplete()).as(progress.toString()).isTrue();
    JsonNode document =
        new ObjectMapper()
            .valueToTree(report.document(new Machine().describe(), server.fileSystem()));
    assertThat(document.path("benchmark").asText()).isEqualTo("workflow");
    assertThat(document.path("machine").path("java").asText()).isNotEmpty();
    assertThat(document.path("settings").path("file_system").asText()).isNotEmpty();
    assertThat(document.path("scenarios").findValuesAsText("name"))
        .isEqualTo(scenarios.stream().map(WorkflowScenario::id).toList());
    for (JsonNode scenario : document.path("scenarios")) {
      boolean isRate = scenario.path("name").asText().startsWith("inflight");
      assertThat(scenario.path("unit").asText()).isEqualTo(isRate ? "workflows/s" : "ms");
      assertThat(scenario.path("higher_is_better").asBoolean()).isEqualTo(isRate);
      assertThat(scenario.path("results").findValuesAsText("contender"))
          .isEqualTo(WorkflowBenchmark.CONTENDERS.stream().map(WorkflowContender::name).toList());
      for (JsonNode result : scenario.path("results")) {
        assertThat(result.path("runs")).hasSize(1);
        assertThat(result.path("value").asDouble())
            .isPositive()
            .isBetween(result.path("min").asDouble(), result.path("max").asDouble());
        assertThat(result.path("statements_per_workflow").asDouble()).isPositive();
        assertThat(result.path("commits_per_workflow").asDouble()).isPositive();
        assertThat(result.path("forced_writes_per_workflow").asDouble()).isPositive();
        assertThat(result.path("guarantee").asText()).isNotEmpty();
      }
    }
    assertThat(report.text()).contains("statements", "commits", "forced writes", "one commit");
    assertThat(progress.toString()).contains("dbos", "inflight_16,p99_16");
  }

  /** With one in flight nothing shares a commit, and nobody has fewer than it needs. */
  @Test
  void whatAWorkflowCostsIsCountedByTheServer() {
    WorkflowContender three =
        new Unrecorded() {
          @Override
          String run(Connection connection, long number) throws Exception {
            EntryTable.insert(connection, number);
            for (String text : List.of("one", "two")) {
              try (var statement = connection.prepareStatement("select '" + text + "'")) {
                statement.execute();
              }
            }
            return Payload.text(number);
          }
        };

    WorkflowRun.Measured measured =
        new WorkflowRun(server, three, WorkflowScenario.INFLIGHT_1, WORKFLOWS).measure();

    assertThat(measured.rate()).isPositive();
    assertThat(measured.p50()).isPositive().isLessThanOrEqualTo(measured.p99());
    // A driver asks for nothing when it connects, and sets what it wants.
    assertThat(measured.statements()).isBetween(3.0, 4.0);
    assertThat(measured.commits()).isBetween(3.0, 5.0);
    assertThat(measured.forcedWrites()).isBetween(1.0, 1.2);
  }

  @Test
  void runWithARowThatIsMissingHasNoFigures() {
    WorkflowContender forgetful =
        new Unrecorded() {
          @Override
          String run(Connection connection, long number) throws Exception {
            if (number != 7) {
              EntryTable.insert(connection, number);
            }
            return Payload.text(number);
          }
        };

    assertRefused(forgetful, "109 rows");
  }

  @Test
  void runThatReturnsWhatItShouldNotHasNoFigures() {
    WorkflowContender wrong =
        new Unrecorded() {
          @Override
          String run(Connection connection, long number) throws Exception {
            EntryTable.insert(connection, number);
            return Payload.text(number == 7 ? 8 : number);
          }
        };

    assertRefused(wrong, "Workflow 7 has another one's result");
  }

  @Test
  void runWhoseWorkflowsAreNotAllRecordedHasNoFigures() {
    WorkflowContender lossy =
        new Unrecorded() {
          @Override
          String run(Connection connection, long number) throws Exception {
            EntryTable.insert(connection, number);
            return Payload.text(number);
          }

          @Override
          public long recorded(DataSource database) {
            return super.recorded(database) - 1;
          }
        };

    assertRefused(lossy, "110 workflows have ended, and 109 are recorded");
  }

  private static void assertRefused(WorkflowContender contender, String reason) {
    assertThatThrownBy(
            () ->
                new WorkflowRun(server, contender, WorkflowScenario.INFLIGHT_1, WORKFLOWS)
                    .measure())
        .isInstanceOf(BenchmarkFailure.class)
        .hasMessageContaining(reason);
  }

  @Test
  void runThatFailsIsLeftOutAndSaid() {
    WorkflowContender broken =
        new Unrecorded() {
          @Override
          String run(Connection connection, long number) {
            throw new BenchmarkFailure("it is broken");
          }
        };

    CountedReport<WorkflowScenario> report =
        report(List.of(WorkflowScenario.INFLIGHT_1), List.of(broken), new StringWriter());

    assertThat(report.isComplete()).isFalse();
    assertThat(report.text()).contains("left out", "it is broken");
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
    CommandLine command = WorkflowMain.commandLine();
    command.setErr(new PrintWriter(err, true));
    command.setOut(new PrintWriter(out, true));

    assertThat(command.execute(line.split(" "))).isEqualTo(2);
    assertThat(err.toString()).contains("Nothing was started");
    assertThat(out.toString()).doesNotContain("Starting");
  }

  /** No engine: what a test does with a connection of its own, each statement a commit. */
  private abstract static class Unrecorded implements WorkflowContender {
    abstract String run(Connection connection, long number) throws Exception;

    @Override
    public String name() {
      return "unrecorded";
    }

    @Override
    public String guarantee(WorkflowScenario scenario) {
      return "none";
    }

    @Override
    public Map<String, String> settings() {
      return Map.of();
    }

    @Override
    public void prepare(CountedServer where) {
      // It has no tables.
    }

    @Override
    public WorkflowEntry enter(CountedServer where, WorkflowScenario scenario) throws Exception {
      Connection connection = DriverManager.getConnection(where.url());
      return new WorkflowEntry() {
        @Override
        public String run(long number) throws Exception {
          return Unrecorded.this.run(connection, number);
        }

        @Override
        public void close() throws Exception {
          connection.close();
        }
      };
    }

    @Override
    public long recorded(DataSource database) {
      return Db.count(database, "select count(*) from bench_entry");
    }
  }
}
