package dev.holdfast.benchmarks;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Outboxes side by side. In every round each contender has its turn in each measurement, so that a
 * drift of the machine meets all alike.
 */
final class OutboxBenchmark {
  /** In the order in which they are shown; the floors come last. */
  static final List<Contender> CONTENDERS =
      List.of(
          new HoldfastContender(),
          new GruelboxContender(),
          new NamastackContender(),
          new DebeziumContender(),
          new SkipLockedContender(),
          new PlainRowContender(),
          new KafkaRawContender());

  private static final Logger log = LoggerFactory.getLogger(OutboxBenchmark.class);

  private final Servers servers;
  private final List<Scenario> scenarios;
  private final List<Contender> contenders;
  private final PrintWriter progress;

  OutboxBenchmark(
      Servers servers, List<Scenario> scenarios, List<Contender> contenders, PrintWriter progress) {
    this.servers = servers;
    this.scenarios = scenarios;
    this.contenders = contenders;
    this.progress = progress;
  }

  Report run(Plan plan) {
    round("warm-up", 0, plan.warmUp(), new Results());
    return measure(plan);
  }

  /** Without a warm-up, for those whom figures do not interest. */
  Report measure(Plan plan) {
    Results results = new Results();
    for (int round = 1; round <= plan.rounds(); round++) {
      round("round " + round, round, plan, results);
    }
    return new Report(plan, scenarios, contenders, results);
  }

  private void round(String name, int number, Plan plan, Results results) {
    for (Results.Key key : keys(number)) {
      Contender contender = contender(key.contender());
      String outcome;
      try {
        Figures figures =
            new Run(servers, plan, contender, key.measurement(), key.mode()).measure();
        results.add(key, figures);
        outcome = figures.text();
      } catch (BenchmarkFailure e) {
        // The others' figures are worth as much without it; a quarter of an hour's would be lost.
        log.debug("A run failed", e);
        results.failed(name + ": " + e.getMessage());
        outcome = "failed: " + e.getMessage();
      }
      progress.printf(
          "%-8s %-12s %-12s %-13s %s%n",
          name,
          key.measurement().name().toLowerCase(Locale.ROOT),
          key.contender(),
          key.mode().name().toLowerCase(Locale.ROOT),
          outcome);
      progress.flush();
    }
  }

  /**
   * The runs of a round, measurement by measurement; one can give the figures of several scenarios.
   * Every round begins with another contender, so that none is always the first.
   */
  private List<Results.Key> keys(int round) {
    Map<Measurement, Set<Results.Key>> keys = new EnumMap<>(Measurement.class);
    for (Scenario scenario : scenarios) {
      Measurement measurement = scenario.measurement();
      for (Contender contender : contenders) {
        if (contender.takesPart(measurement)) {
          keys.computeIfAbsent(measurement, m -> new LinkedHashSet<>())
              .add(new Results.Key(contender.name(), measurement, contender.modeFor(scenario)));
        }
      }
    }
    List<Results.Key> all = new ArrayList<>();
    for (Set<Results.Key> ofOne : keys.values()) {
      List<Results.Key> order = new ArrayList<>(ofOne);
      Collections.rotate(order, -2 * round);
      all.addAll(order);
    }
    return all;
  }

  private Contender contender(String name) {
    return contenders.stream()
        .filter(contender -> contender.name().equals(name))
        .findAny()
        .orElseThrow();
  }
}
