package dev.holdfast.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the rounds have shown, as a document and as a table. */
final class CountedReport<S extends CountedScenario> {
  private static final String OURS = "holdfast";

  private final Form<S> form;
  private final Map<S, Map<String, List<Counted>>> figures = new LinkedHashMap<>();
  private final List<String> failures = new ArrayList<>();

  /**
   * What the servers count for each operation.
   *
   * @param key in the document
   * @param title in the table
   */
  record Count(String key, String title) {}

  /**
   * What there is to report.
   *
   * @param settings of the benchmark itself; the contenders' come with them
   */
  record Form<S extends CountedScenario>(
      String benchmark,
      List<S> scenarios,
      List<? extends CountedContender<S>> contenders,
      List<Count> counts,
      Map<String, Object> settings) {}

  CountedReport(Form<S> form) {
    this.form = form;
  }

  void add(CountedContender<S> contender, S scenario, Counted measured) {
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

  /** For people who watch. */
  String text(S scenario, Counted measured) {
    StringBuilder text = new StringBuilder();
    text.append(scenario.text(measured.value())).append(' ').append(scenario.unit());
    for (Count count : form.counts()) {
      text.append(", %.2f %s".formatted(of(measured, count), count.title()));
    }
    return text.toString();
  }

  private static double of(Counted measured, Count count) {
    return measured.each().getOrDefault(count.key(), Double.NaN);
  }

  private List<Counted> of(S scenario, String contender) {
    return figures.getOrDefault(scenario, Map.of()).getOrDefault(contender, List.of());
  }

  private List<Double> values(S scenario, String contender) {
    return of(scenario, contender).stream().map(Counted::value).toList();
  }

  private List<Double> counts(S scenario, String contender, Count count) {
    return of(scenario, contender).stream().map(measured -> of(measured, count)).toList();
  }

  /** The form that every benchmark writes, with what was counted beside each figure. */
  Map<String, Object> document(Map<String, Object> machine, String fileSystem) {
    List<Object> all = new ArrayList<>();
    for (S scenario : form.scenarios()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", scenario.id());
      entry.put("unit", scenario.unit());
      entry.put("higher_is_better", scenario.higherIsBetter());
      entry.put("results", results(scenario));
      all.add(entry);
    }
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("benchmark", form.benchmark());
    document.put("machine", machine);
    document.put("settings", settings(fileSystem));
    document.put("scenarios", all);
    if (!failures.isEmpty()) {
      document.put("failures", failures);
    }
    return document;
  }

  private List<Object> results(S scenario) {
    List<Object> results = new ArrayList<>();
    for (CountedContender<S> contender : takingPart(scenario)) {
      List<Double> runs = values(scenario, contender.name());
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("contender", contender.name());
      result.put("value", Results.median(runs));
      result.put("min", Collections.min(runs));
      result.put("max", Collections.max(runs));
      result.put("runs", runs);
      for (Count count : form.counts()) {
        List<Double> each = counts(scenario, contender.name(), count);
        result.put(count.key(), Results.median(each));
        result.put(count.key() + "_runs", each);
      }
      result.put("guarantee", contender.guarantee(scenario));
      results.add(result);
    }
    return results;
  }

  private Map<String, Object> settings(String fileSystem) {
    Map<String, Object> own = new LinkedHashMap<>();
    form.contenders().forEach(contender -> own.put(contender.name(), contender.settings()));
    Map<String, Object> settings = new LinkedHashMap<>(form.settings());
    settings.put("file_system", fileSystem);
    settings.put("contenders", own);
    return settings;
  }

  private List<? extends CountedContender<S>> takingPart(S scenario) {
    return form.contenders().stream()
        .filter(contender -> !of(scenario, contender.name()).isEmpty())
        .toList();
  }

  /** For people. */
  String text() {
    StringBuilder text = new StringBuilder();
    for (S scenario : form.scenarios()) {
      table(text, scenario);
    }
    failures.forEach(
        failure -> text.append("%nA run failed and is left out: %s%n".formatted(failure)));
    return text.toString();
  }

  private void table(StringBuilder text, S scenario) {
    text.append(
        "%n%s (%s): %s%n".formatted(scenario.id(), scenario.unit(), scenario.description()));
    text.append(
        "  %-12s %10s %10s %10s %12s"
            .formatted("contender", "median", "min", "max", "of holdfast"));
    form.counts().forEach(count -> text.append(" %14s".formatted(count.title())));
    text.append("  guarantee%n".formatted());
    double ours = Results.median(values(scenario, OURS));
    for (CountedContender<S> contender : takingPart(scenario)) {
      List<Double> runs = values(scenario, contender.name());
      double value = Results.median(runs);
      text.append(
          "  %-12s %10s %10s %10s %12s"
              .formatted(
                  contender.name(),
                  scenario.text(value),
                  scenario.text(Collections.min(runs)),
                  scenario.text(Collections.max(runs)),
                  Double.isNaN(ours) ? "-" : "%.2f".formatted(value / ours)));
      for (Count count : form.counts()) {
        text.append(" %14.2f".formatted(Results.median(counts(scenario, contender.name(), count))));
      }
      text.append("  %s%n".formatted(contender.guarantee(scenario)));
    }
  }
}
