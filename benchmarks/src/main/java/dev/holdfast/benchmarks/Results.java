package dev.holdfast.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The figures of all rounds. */
final class Results {
  /** What one run is of. */
  record Key(String contender, Measurement measurement, Mode mode) {}

  private final Map<Key, List<Figures>> figures = new LinkedHashMap<>();
  private final List<String> failures = new ArrayList<>();

  void add(Key key, Figures measured) {
    figures.computeIfAbsent(key, k -> new ArrayList<>()).add(measured);
  }

  /** A run that has no figures, and why. */
  void failed(String reason) {
    failures.add(reason);
  }

  List<String> failures() {
    return List.copyOf(failures);
  }

  private List<Figures> of(Contender contender, Scenario scenario) {
    Key key = new Key(contender.name(), scenario.measurement(), contender.modeFor(scenario));
    return figures.getOrDefault(key, List.of());
  }

  /** A value per round. */
  List<Double> runs(Contender contender, Scenario scenario) {
    return of(contender, scenario).stream().map(scenario::of).toList();
  }

  /** Over all rounds. */
  Arrivals arrivals(Contender contender, Scenario scenario) {
    return of(contender, scenario).stream()
        .map(Figures::arrivals)
        .reduce(Arrivals.NOT_COUNTED, Arrivals::plus);
  }

  /** The middle value; of an even number the lower of the two. */
  static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.isEmpty() ? Double.NaN : sorted.get((sorted.size() - 1) / 2);
  }
}
