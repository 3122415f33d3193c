package dev.holdfast.benchmarks;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Commits in two databases side by side, on the same two servers. */
final class TwoPhaseBenchmark {
  static final List<TwoPhaseContender> CONTENDERS =
      List.of(
          new HoldfastTwoPhaseContender(),
          new NarayanaContender(),
          new AtomikosContender(),
          new RawXaContender(),
          new TwoCommitsContender());

  private static final String FORCED_WRITES = "forced_writes_per_commit";

  private final TwoPhaseServers servers;
  private final List<TwoPhaseScenario> scenarios;
  private final List<TwoPhaseContender> contenders;
  private final int operations;
  private final PrintWriter progress;

  TwoPhaseBenchmark(
      TwoPhaseServers servers,
      List<TwoPhaseScenario> scenarios,
      List<TwoPhaseContender> contenders,
      int operations,
      PrintWriter progress) {
    this.servers = servers;
    this.scenarios = scenarios;
    this.contenders = contenders;
    this.operations = operations;
    this.progress = progress;
  }

  CountedRounds<TwoPhaseScenario, TwoPhaseContender> rounds() {
    return new CountedRounds<>(
        scenarios.stream().map(List::of).toList(),
        contenders,
        (contender, one) -> measure(contender, one.get(0)),
        () -> new CountedReport<>(form()),
        progress);
  }

  private Map<TwoPhaseScenario, Counted> measure(
      TwoPhaseContender contender, TwoPhaseScenario scenario) {
    TwoPhaseRun.Figures figures =
        new TwoPhaseRun(servers, contender, scenario, operations).measure();
    return Map.of(
        scenario, new Counted(figures.rate(), Map.of(FORCED_WRITES, figures.forcedWrites())));
  }

  private CountedReport.Form<TwoPhaseScenario> form() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("operations", operations);
    settings.put("row_bytes", Payload.BYTES);
    settings.put("databases", 2);
    settings.put("postgres", BestSettings.TWO_PHASE_POSTGRES);
    return new CountedReport.Form<>(
        "twophase",
        scenarios,
        contenders,
        List.of(new CountedReport.Count(FORCED_WRITES, "forced writes")),
        settings);
  }
}
