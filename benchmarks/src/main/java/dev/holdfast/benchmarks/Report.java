package dev.holdfast.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Results as a document and as a table. */
final class Report {
  private static final String OURS = "holdfast";

  private final Plan plan;
  private final List<Scenario> scenarios;
  private final List<Contender> contenders;
  private final Results results;

  Report(Plan plan, List<Scenario> scenarios, List<Contender> contenders, Results results) {
    this.plan = plan;
    this.scenarios = scenarios;
    this.contenders = contenders;
    this.results = results;
  }

  /** The form that every benchmark writes. */
  Map<String, Object> document(Map<String, Object> machine) {
    List<Object> all = new ArrayList<>();
    for (Scenario scenario : scenarios) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", scenario.id());
      entry.put("unit", scenario.unit());
      entry.put("higher_is_better", scenario.higherIsBetter());
      entry.put("results", results(scenario));
      all.add(entry);
    }
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("benchmark", "outbox");
    document.put("machine", machine);
    document.put("settings", settings());
    document.put("scenarios", all);
    if (!results.failures().isEmpty()) {
      document.put("failures", results.failures());
    }
    return document;
  }

  private List<Object> results(Scenario scenario) {
    List<Object> list = new ArrayList<>();
    for (Contender contender : takingPart(scenario)) {
      List<Double> runs = results.runs(contender, scenario);
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("contender", contender.name());
      result.put("value", Results.median(runs));
      result.put("min", runs.stream().mapToDouble(Double::doubleValue).min().orElseThrow());
      result.put("max", runs.stream().mapToDouble(Double::doubleValue).max().orElseThrow());
      result.put("runs", runs);
      result.put("guarantee", contender.guarantee(contender.modeFor(scenario)));
      result.put("transactional", contender.modeFor(scenario) == Mode.TRANSACTIONAL);
      if (counts(scenario)) {
        Arrivals arrivals = results.arrivals(contender, scenario);
        result.put("lost", arrivals.lost());
        result.put("repeated", arrivals.repeated());
        result.put("out_of_order", arrivals.inverted());
      }
      list.add(result);
    }
    return list;
  }

  private static boolean counts(Scenario scenario) {
    return switch (scenario.measurement()) {
      case COMMIT, COMMIT_ALONE, COMMIT_HELD -> false;
      case DRAIN, DRAIN_HELD, LATENCY -> true;
    };
  }

  private List<Contender> takingPart(Scenario scenario) {
    return contenders.stream()
        .filter(contender -> !results.runs(contender, scenario).isEmpty())
        .toList();
  }

  private Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("rounds", plan.rounds());
    settings.put("message_bytes", Payload.BYTES);
    settings.put("keys", Payload.KEYS);
    settings.put("writers", BestSettings.WRITERS);
    settings.put("commit_seconds", plan.commit().toMillis() / 1e3);
    settings.put("latency_seconds", plan.latency().toMillis() / 1e3);
    settings.put("latency_messages_per_second", BestSettings.PACE_PER_SECOND);
    settings.put("held_updates", plan.updates());
    settings.put("postgres", BestSettings.POSTGRES);
    Map<String, Object> drains = new LinkedHashMap<>();
    Map<String, Object> own = new LinkedHashMap<>();
    Map<String, Object> participation = new LinkedHashMap<>();
    for (Contender contender : contenders) {
      if (contender.takesPart(Measurement.DRAIN)) {
        drains.put(contender.name(), contender.backlog(plan.messages()));
      }
      own.put(contender.name(), contender.settings());
      participation.put(contender.name(), contender.participation());
    }
    settings.put("drain_messages", drains);
    settings.put("contenders", own);
    settings.put("participation", participation);
    return settings;
  }

  /** Whether every run has its figures. */
  boolean isComplete() {
    return results.failures().isEmpty();
  }

  /** For people. */
  String text() {
    StringBuilder text = new StringBuilder();
    for (Scenario scenario : scenarios) {
      List<Contender> takingPart = takingPart(scenario);
      if (!takingPart.isEmpty()) {
        table(text, scenario, takingPart);
      }
    }
    for (String failure : results.failures()) {
      text.append("%nA run failed and is left out: %s%n".formatted(failure));
    }
    text.append("%nWho takes part in what:%n".formatted());
    for (Contender contender : contenders) {
      text.append("  %-12s %s%n".formatted(contender.name(), contender.participation()));
    }
    return text.toString();
  }

  private void table(StringBuilder text, Scenario scenario, List<Contender> takingPart) {
    text.append(
        "%n%s (%s): %s%n".formatted(scenario.id(), scenario.unit(), scenario.description()));
    double ours =
        takingPart.stream()
            .filter(contender -> contender.name().equals(OURS))
            .mapToDouble(contender -> Results.median(results.runs(contender, scenario)))
            .findAny()
            .orElse(Double.NaN);
    text.append(
        "  %-12s %12s %12s %12s %12s  %s%n"
            .formatted("contender", "median", "min", "max", "of holdfast", "guarantee"));
    for (Contender contender : takingPart) {
      List<Double> runs = results.runs(contender, scenario);
      double value = Results.median(runs);
      text.append(
          "  %-12s %s %s %s %12s  %s%s%n"
              .formatted(
                  contender.name(),
                  figure(scenario, value),
                  figure(
                      scenario, runs.stream().mapToDouble(Double::doubleValue).min().orElseThrow()),
                  figure(
                      scenario, runs.stream().mapToDouble(Double::doubleValue).max().orElseThrow()),
                  Double.isNaN(ours) ? "-" : "%.2f".formatted(value / ours),
                  contender.guarantee(contender.modeFor(scenario)),
                  remark(scenario, contender)));
    }
  }

  private static String figure(Scenario scenario, double value) {
    return scenario.higherIsBetter() ? "%,12.0f".formatted(value) : "%,12.1f".formatted(value);
  }

  private String remark(Scenario scenario, Contender contender) {
    StringBuilder remark = new StringBuilder();
    if (scenario.mode() == Mode.TRANSACTIONAL
        && scenario.measurement() != Measurement.COMMIT_ALONE
        && contender.modeFor(scenario) == Mode.PLAIN
        && contender.takesPart(Measurement.LATENCY)) {
      remark.append("; no Kafka transactions");
    }
    if (counts(scenario)) {
      Arrivals arrivals = results.arrivals(contender, scenario);
      if (!arrivals.isClean()) {
        remark.append("; here: ").append(arrivals.text());
      }
      int backlog = contender.backlog(plan.messages());
      if (scenario.measurement().isDrain() && backlog != plan.messages()) {
        remark.append("; backlog of %,d".formatted(backlog));
      }
    }
    return remark.toString();
  }
}
