package dev.holdfast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.zaxxer.hikari.HikariDataSource;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The benchmark in small: what is measured here says nothing, that it is measured does. */
class EventBenchmarkTest {
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

  private static CountedReport<EventScenario> measure(
      List<EventContender> contenders, List<EventScenario> scenarios) {
    return new EventBenchmark(
            server, scenarios, contenders, 100, 500, new PrintWriter(new StringWriter()))
        .rounds()
        .measure(1);
  }

  @Tag("long")
  @Test
  void everyScenarioHasAFigureOfWhoeverTakesPart() {
    List<EventScenario> scenarios = Arrays.asList(EventScenario.values());
    CountedReport<EventScenario> report = measure(EventBenchmark.CONTENDERS, scenarios);
    assertThat(report.isComplete()).as(report.text()).isTrue();
    JsonNode document =
        new ObjectMapper().valueToTree(report.document(Map.of("cores", 2), "a file system"));
    assertThat(document.path("benchmark").asText()).isEqualTo("eventlog");
    for (int i = 0; i < scenarios.size(); i++) {
      EventScenario scenario = scenarios.get(i);
      JsonNode results = document.path("scenarios").path(i).path("results");
      assertThat(EventBenchmark.CONTENDERS)
          .filteredOn(contender -> contender.takesPart(scenario))
          .allSatisfy(
              contender ->
                  assertThat(results.toString()).as(scenario.id()).contains(contender.name()));
      results.forEach(result -> assertThat(result.path("median").asDouble(1)).isPositive());
    }
  }

  @Test
  void axonTakesPartWhereItIsThere() {
    List<String> names = EventBenchmark.CONTENDERS.stream().map(EventContender::name).toList();
    // The build and the test run on one JDK.
    if (Runtime.version().feature() >= 21) {
      assertThat(names).contains("axon");
      assertThat(AxonSupport.leftOut()).isEmpty();
    } else {
      assertThat(names).doesNotContain("axon");
    }
  }

  @Test
  void theCommandSaysWhyAxonIsLeftOut() {
    assertThat(AxonSupport.leftOut(17, true).orElseThrow())
        .contains("axon is left out", "needs Java 21", "runs on 17");
    assertThat(AxonSupport.leftOut(25, false).orElseThrow())
        .contains("axon is left out", "needs Java 21", "built on an older one");
    assertThat(AxonSupport.leftOut(21, true)).isEmpty();
    StringWriter out = new StringWriter();
    // Refused before anything is started.
    assertThat(
            EventMain.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(new StringWriter()))
                .execute("--contenders", "nobody"))
        .isNotZero();
    if (AxonSupport.leftOut().isPresent()) {
      assertThat(out.toString()).contains(AxonSupport.leftOut().get());
    } else {
      assertThat(out.toString()).doesNotContain("left out");
    }
  }

  @Test
  void axonRefusesASecondFirstEventOfAnAggregate() throws Exception {
    for (EventContender axon : AxonSupport.contenders()) {
      server.clear();
      axon.prepare(server, 0);
      try (HikariDataSource pool = Db.pool(server.url(), 4);
          EventEntry entry = axon.enter(pool, EventScenario.APPEND_1)) {
        entry.append(1);
        assertThatThrownBy(() -> entry.append(1))
            .hasStackTraceContaining("AppendEventsTransactionRejectedException");
        entry.append(2);
      }
      assertThat(axon.stored(server)).isEqualTo(2);
      assertThat(
              Db.count(server.database(), "select min(length(payload)) from AggregateEventEntry"))
          .isEqualTo(Payload.BYTES);
    }
  }

  /** One that leaves every other event out. */
  private static final class Forgetful implements EventContender {
    private final HoldfastEventContender real = new HoldfastEventContender();

    @Override
    public String name() {
      return "forgetful";
    }

    @Override
    public boolean takesPart(EventScenario scenario) {
      return true;
    }

    @Override
    public String guarantee(EventScenario scenario) {
      return "none";
    }

    @Override
    public Map<String, String> settings() {
      return Map.of();
    }

    @Override
    public void prepare(CountedServer server, long events) {
      real.prepare(server, events);
    }

    @Override
    public EventEntry enter(HikariDataSource pool, EventScenario scenario) {
      EventEntry entry = real.enter(pool, scenario);
      return new EventEntry() {
        @Override
        public void append(long number) throws Exception {
          if (number % 2 == 0) {
            entry.append(number);
          }
        }

        @Override
        public long all(long events) throws Exception {
          return entry.all(events) - 1;
        }

        @Override
        public void close() throws Exception {
          entry.close();
        }
      };
    }

    @Override
    public long stored(CountedServer server) {
      return real.stored(server);
    }
  }

  @Test
  void whoeverForgetsEventsHasNoFigure() {
    CountedReport<EventScenario> report =
        measure(List.of(new Forgetful()), List.of(EventScenario.APPEND_1, EventScenario.READ));
    assertThat(report.isComplete()).isFalse();
    assertThat(report.text()).contains("are there of");
  }
}
