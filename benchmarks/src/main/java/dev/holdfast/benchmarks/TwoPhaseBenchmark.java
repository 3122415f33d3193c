package dev.holdfast.benchmarks;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Commits in two databases side by side, on the same two servers. */
final class TwoPhaseBenchmark {
  static final List<TwoPhaseContender> CONTENDERS =
      List.of(
          new HoldfastTwoPhaseContender(),
          new NarayanaContender(),
          new AtomikosContender(),
          new RawXaContender(),
          new TwoCommitsContender());

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

  /** A warm-up, and then so many rounds. Every round begins with another contender. */
  TwoPhaseReport run(int rounds) {
    round(0, operations, new TwoPhaseReport(scenarios, contenders, operations));
    return measure(rounds);
  }

  /** The rounds alone. */
  TwoPhaseReport measure(int rounds) {
    TwoPhaseReport report = new TwoPhaseReport(scenarios, contenders, operations);
    for (int round = 1; round <= rounds; round++) {
      round(round, operations, report);
    }
    return report;
  }

  private void round(int number, int count, TwoPhaseReport report) {
    for (TwoPhaseScenario scenario : scenarios) {
      List<TwoPhaseContender> order = new ArrayList<>(contenders);
      Collections.rotate(order, -number);
      for (TwoPhaseContender contender : order) {
        String outcome;
        try {
          TwoPhaseRun.Figures figures =
              new TwoPhaseRun(servers, contender, scenario, count).measure();
          report.add(contender, scenario, figures);
          outcome =
              "%,.0f /s, %.2f forced writes each".formatted(figures.rate(), figures.forcedWrites());
        } catch (BenchmarkFailure e) {
          report.failed(
              "round %d: %s in %s: %s"
                  .formatted(number, contender.name(), scenario.id(), e.getMessage()));
          outcome = "failed: " + e.getMessage();
        }
        progress.printf(
            "%-8s %-12s %-12s %s%n",
            number == 0 ? "warm-up" : "round " + number, scenario.id(), contender.name(), outcome);
        progress.flush();
      }
    }
  }
}
