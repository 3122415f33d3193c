package dev.holdfast.reconcile;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One run. Used once, by one thread. */
final class Run {
  private final Reconciliation.Builder settings;
  private final Ages ages;
  private final Counted source;
  private final Counted derived;

  private final List<Difference> differences = new ArrayList<>();
  private long unsettled;

  Run(Reconciliation.Builder settings, Ages ages, Counted source, Counted derived) {
    this.settings = settings;
    this.ages = ages;
    this.source = source;
    this.derived = derived;
  }

  Report run() throws InterruptedException {
    long begun = Doorbell.nanos();
    Instant at = source.now();
    Bisection.Found found =
        new Bisection(
                source,
                derived,
                settings.changedBefore(at),
                settings.listBelow,
                settings.differencesAtMost)
            .run();
    if (!found.pairs().isEmpty() && !settings.settle.isZero()) {
      settings.wait.pass(settings.settle);
    }
    for (int from = 0; from < found.pairs().size(); from += Reconciliation.KEYS_AT_ONCE) {
      Counted.checkInterrupted();
      readAgain(
          found
              .pairs()
              .subList(from, Math.min(found.pairs().size(), from + Reconciliation.KEYS_AT_ONCE)),
          at);
    }
    Repairing repairing = new Repairing(source, derived, settings.repair);
    Set<Difference> repaired = repairing.apply(toRepair());
    List<Difference> left = differences.stream().filter(each -> !repaired.contains(each)).toList();
    ages.keep(left);
    Duration took = Doorbell.since(begun);
    return new Report(
        settings.source.description(),
        settings.derived.description(),
        at,
        took,
        found.complete(),
        found.pairs().size(),
        unsettled,
        counts(),
        samples(),
        left.stream().map(Difference::since).min(Comparator.naturalOrder()),
        repairing.result(),
        Counted.work(source, derived));
  }

  /** The derived side first: what it has then is compared with what the source had by then. */
  private void readAgain(List<Pair> first, Instant at) {
    List<String> keys = first.stream().map(Pair::key).toList();
    List<Entry> ofDerived = derived.read(keys);
    List<Entry> ofSource = source.read(keys);
    Map<String, Pair> now = new HashMap<>();
    Bisection.pairs(ofSource, ofDerived).forEach(pair -> now.put(pair.key(), pair));
    for (Pair pair : first) {
      Pair again = now.getOrDefault(pair.key(), new Pair(pair.key(), List.of(), List.of()));
      Verdict verdict = Verdict.of(pair, again, settings.source.versions());
      if (verdict instanceof Verdict.Unsettled) {
        unsettled++;
      } else if (verdict instanceof Verdict.Differs differs) {
        differences.add(difference(pair.key(), differs, at));
      }
    }
  }

  private Difference difference(String key, Verdict.Differs differs, Instant at) {
    Entry entry = differs.source();
    Instant changed = entry == null ? null : entry.changedAt();
    Instant since = changed == null || changed.isAfter(at) ? ages.since(key, at) : changed;
    return new Difference(differs.drift(), key, entry, differs.derived(), since);
  }

  private List<Difference> toRepair() {
    return differences.stream()
        .filter(each -> settings.repaired.contains(each.drift()))
        .limit(settings.repairsAtMost)
        .toList();
  }

  private Map<Drift, Long> counts() {
    Map<Drift, Long> counts = new EnumMap<>(Drift.class);
    for (Drift drift : Drift.values()) {
      counts.put(drift, differences.stream().filter(each -> each.drift() == drift).count());
    }
    return counts;
  }

  private List<Difference> samples() {
    List<Difference> samples = new ArrayList<>();
    for (Drift drift : Drift.values()) {
      differences.stream()
          .filter(each -> each.drift() == drift)
          .limit(settings.samplesAtMost)
          .forEach(samples::add);
    }
    return samples;
  }
}
