package dev.holdfast.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the rounds have shown, as a document and as a table. */
final class TwoPhaseReport {
  private static final String OURS = "holdfast";

  private final List<TwoPhaseScenario> scenarios;
  private final List<TwoPhaseContender> contenders;
  private final int operations;
  private final Map<TwoPhaseScenario, Map<String, List<TwoPhaseRun.Figures>>> figures =
      new LinkedHashMap<>();
  private final List<String> failures = new ArrayList<>();

  TwoPhaseReport(
      List<TwoPhaseScenario> scenarios, List<TwoPhaseContender> contenders, int operations) {
    this.scenarios = scenarios;
    this.contenders = contenders;
    this.operations = operations;
  }

  void add(TwoPhaseContender contender, TwoPhaseScenario scenario, TwoPhaseRun.Figures measured) {
    figures
        .computeIfAbsent(scenario, s -> new LinkedHashMap<>())
        .computeIfAbsent(contender.name(), c -> new ArrayList<>())
        .add(measured);
  }

  /** A run that has no figures, and why. */
  void failed(String reason) {
    failures.add(reason);
  }

  /** Whether every run has its figures. */
  boolean isComplete() {
    return failures.isEmpty();
  }

  private List<TwoPhaseRun.Figures> of(TwoPhaseScenario scenario, String contender) {
    return figures.getOrDefault(scenario, Map.of()).getOrDefault(contender, List.of());
  }

  private List<Double> rates(TwoPhaseScenario scenario, String contender) {
    return of(scenario, contender).stream().map(TwoPhaseRun.Figures::rate).toList();
  }

  private List<Double> forcedWrites(TwoPhaseScenario scenario, String contender) {
    return of(scenario, contender).stream().map(TwoPhaseRun.Figures::forcedWrites).toList();
  }

  /** The form that every benchmark writes, with forced writes beside each figure. */
  Map<String, Object> document(Map<String, Object> machine, String fileSystem) {
    List<Object> all = new ArrayList<>();
    for (TwoPhaseScenario scenario : scenarios) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", scenario.id());
      entry.put("unit", "commits/s");
      entry.put("higher_is_better", true);
      entry.put("results", results(scenario));
      all.add(entry);
    }
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("benchmark", "twophase");
    document.put("machine", machine);
    document.put("settings", settings(fileSystem));
    document.put("scenarios", all);
    if (!failures.isEmpty()) {
      document.put("failures", failures);
    }
    return document;
  }

  private List<Object> results(TwoPhaseScenario scenario) {
    List<Object> results = new ArrayList<>();
    for (TwoPhaseContender contender : takingPart(scenario)) {
      List<Double> runs = rates(scenario, contender.name());
      List<Double> forced = forcedWrites(scenario, contender.name());
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("contender", contender.name());
      result.put("value", Results.median(runs));
      result.put("min", Collections.min(runs));
      result.put("max", Collections.max(runs));
      result.put("runs", runs);
      result.put("forced_writes_per_commit", Results.median(forced));
      result.put("forced_writes_per_commit_runs", forced);
      result.put("guarantee", contender.guarantee(scenario));
      results.add(result);
    }
    return results;
  }

  private Map<String, Object> settings(String fileSystem) {
    Map<String, Object> own = new LinkedHashMap<>();
    contenders.forEach(contender -> own.put(contender.name(), contender.settings()));
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("operations", operations);
    settings.put("row_bytes", Payload.BYTES);
    settings.put("databases", 2);
    settings.put("file_system", fileSystem);
    settings.put("postgres", BestSettings.TWO_PHASE_POSTGRES);
    settings.put("contenders", own);
    return settings;
  }

  private List<TwoPhaseContender> takingPart(TwoPhaseScenario scenario) {
    return contenders.stream()
        .filter(contender -> !of(scenario, contender.name()).isEmpty())
        .toList();
  }

  /** For people. */
  String text() {
    StringBuilder text = new StringBuilder();
    for (TwoPhaseScenario scenario : scenarios) {
      text.append("%n%s (commits/s): %s%n".formatted(scenario.id(), scenario.description()));
      text.append(
          "  %-12s %10s %10s %10s %12s %14s  %s%n"
              .formatted(
                  "contender",
                  "median",
                  "min",
                  "max",
                  "of holdfast",
                  "forced writes",
                  "guarantee"));
      double ours = Results.median(rates(scenario, OURS));
      for (TwoPhaseContender contender : takingPart(scenario)) {
        List<Double> runs = rates(scenario, contender.name());
        double value = Results.median(runs);
        text.append(
            "  %-12s %,10.0f %,10.0f %,10.0f %12s %14.2f  %s%n"
                .formatted(
                    contender.name(),
                    value,
                    Collections.min(runs),
                    Collections.max(runs),
                    Double.isNaN(ours) ? "-" : "%.2f".formatted(value / ours),
                    Results.median(forcedWrites(scenario, contender.name())),
                    contender.guarantee(scenario)));
      }
    }
    failures.forEach(
        failure -> text.append("%nA run failed and is left out: %s%n".formatted(failure)));
    return text.toString();
  }
}
