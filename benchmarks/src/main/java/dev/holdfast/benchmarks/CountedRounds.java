package dev.holdfast.benchmarks;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Contenders take turns, run by run. Every round begins with another contender. */
final class CountedRounds<S extends CountedScenario, C extends CountedContender<S>> {
  private final List<List<S>> runs;
  private final List<C> contenders;
  private final Run<S, C> run;
  private final Supplier<CountedReport<S>> reports;
  private final PrintWriter progress;

  /** One contender, once. */
  @FunctionalInterface
  interface Run<S, C> {
    /**
     * @return a figure for each of the scenarios, in their order
     * @throws BenchmarkFailure when there are none
     */
    Map<S, Counted> measure(C contender, List<S> scenarios);
  }

  /**
   * @param runs the scenarios, together where one run has the figures of several
   * @param reports empty ones
   */
  CountedRounds(
      List<List<S>> runs,
      List<C> contenders,
      Run<S, C> run,
      Supplier<CountedReport<S>> reports,
      PrintWriter progress) {
    this.runs = runs;
    this.contenders = contenders;
    this.run = run;
    this.reports = reports;
    this.progress = progress;
  }

  /** A warm-up, and then so many rounds. */
  CountedReport<S> run(int rounds) {
    round(0, reports.get());
    return measure(rounds);
  }

  /** The rounds alone. */
  CountedReport<S> measure(int rounds) {
    CountedReport<S> report = reports.get();
    for (int round = 1; round <= rounds; round++) {
      round(round, report);
    }
    return report;
  }

  private void round(int number, CountedReport<S> report) {
    for (List<S> scenarios : runs) {
      List<C> order = new ArrayList<>(contenders);
      Collections.rotate(order, -number);
      String ids = scenarios.stream().map(CountedScenario::id).collect(Collectors.joining(","));
      for (C contender : order) {
        String outcome;
        try {
          Map<S, Counted> figures = run.measure(contender, scenarios);
          figures.forEach((scenario, figure) -> report.add(contender, scenario, figure));
          outcome =
              figures.entrySet().stream()
                  .map(each -> report.text(each.getKey(), each.getValue()))
                  .collect(Collectors.joining("; "));
        } catch (BenchmarkFailure e) {
          report.failed(
              "round %d: %s in %s: %s".formatted(number, contender.name(), ids, e.getMessage()));
          outcome = "failed: " + e.getMessage();
        }
        progress.printf(
            "%-8s %-12s %-12s %s%n",
            number == 0 ? "warm-up" : "round " + number, ids, contender.name(), outcome);
        progress.flush();
      }
    }
  }
}
