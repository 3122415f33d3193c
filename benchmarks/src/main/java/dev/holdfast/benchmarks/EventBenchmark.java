package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.internal.Doorbell;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Logs of events side by side, on the same server. */
final class EventBenchmark {
  static final List<EventContender> CONTENDERS =
      Stream.of(
              List.of(new HoldfastEventContender()),
              AxonSupport.contenders(),
              List.of(
                  HandwrittenEventContender.HANDWRITTEN,
                  HandwrittenEventContender.INSERT,
                  HandwrittenEventContender.COPY))
          .<EventContender>flatMap(List::stream)
          .toList();

  private static final CountedReport.Count COMMITS =
      new CountedReport.Count("commits_per_event", "commits");
  private static final CountedReport.Count FORCED_WRITES =
      new CountedReport.Count("forced_writes_per_event", "forced writes");

  private final CountedServer server;
  private final List<EventScenario> scenarios;
  private final List<EventContender> contenders;
  private final int appends;
  private final int events;
  private final PrintWriter progress;

  /**
   * @param appends that a run times
   * @param events that are there before a run that reads, or appends on a condition
   */
  EventBenchmark(
      CountedServer server,
      List<EventScenario> scenarios,
      List<EventContender> contenders,
      int appends,
      int events,
      PrintWriter progress) {
    this.server = server;
    this.scenarios = scenarios;
    this.contenders = contenders;
    this.appends = appends;
    this.events = events;
    this.progress = progress;
  }

  CountedRounds<EventScenario, EventContender> rounds() {
    return new CountedRounds<>(
        scenarios.stream().map(List::of).toList(),
        contenders,
        (contender, one) ->
            contender.takesPart(one.get(0))
                ? Map.of(one.get(0), measure(contender, one.get(0)))
                : Map.of(),
        () -> new CountedReport<>(form()),
        progress);
  }

  private Counted measure(EventContender contender, EventScenario scenario) {
    long before = scenario.appends() && scenario != EventScenario.APPEND_DCB ? 0 : events;
    server.clear();
    try {
      contender.prepare(server, before);
      CountedServer.Counts counted = server.counts();
      long handled;
      double rate;
      try (HikariDataSource pool = Db.pool(server.url(), Math.max(4, scenario.threads() + 1));
          EventEntry entry = contender.enter(pool, scenario)) {
        if (scenario.appends()) {
          int timed = Math.max(100, appends / scenario.batch());
          Operations operations = new Operations(scenario.threads(), timed, entry::append);
          operations.run();
          handled = (long) Operations.all(scenario.threads(), timed) * scenario.batch();
          rate = operations.rate() * scenario.batch();
        } else {
          long began = Doorbell.nanos();
          handled = entry.all(before);
          rate = handled / (Doorbell.since(began).toNanos() / 1e9);
        }
      }
      CountedServer.Counts now = server.counts();
      check(contender, scenario, before, handled);
      Map<String, Double> each = new LinkedHashMap<>();
      each.put(COMMITS.key(), (double) (now.commits() - counted.commits()) / handled);
      each.put(
          FORCED_WRITES.key(), (double) (now.forcedWrites() - counted.forcedWrites()) / handled);
      return new Counted(rate, each);
    } catch (BenchmarkFailure e) {
      throw e;
    } catch (Exception e) {
      throw new BenchmarkFailure(contender.name() + " failed", e);
    }
  }

  private void check(EventContender contender, EventScenario scenario, long before, long handled) {
    long expected = scenario.appends() ? before + handled : before;
    long stored = contender.stored(server);
    if (stored != expected || (!scenario.appends() && handled != before)) {
      throw new BenchmarkFailure(
          "%,d events were handled, and %,d are there of %,d".formatted(handled, stored, expected));
    }
  }

  private CountedReport.Form<EventScenario> form() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("appended_events", appends);
    settings.put("events_there", events);
    settings.put("event_bytes", Payload.BYTES);
    settings.put("postgres", BestSettings.WORKFLOW_POSTGRES);
    AxonSupport.leftOut().ifPresent(why -> settings.put("left_out", List.of(why)));
    return new CountedReport.Form<>(
        "eventlog", scenarios, contenders, List.of(COMMITS, FORCED_WRITES), settings);
  }
}
