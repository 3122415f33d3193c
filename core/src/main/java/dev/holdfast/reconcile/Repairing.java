package dev.holdfast.reconcile;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Repairs what a run has found, a few at a time and no more than so many. Used once, by one thread.
 */
final class Repairing {
  private static final int REASONS = 20;

  private final Counted source;
  private final Counted derived;
  private final @Nullable Repair repair;
  private long done;
  private long overtaken;
  private long refused;
  private final List<String> reasons = new ArrayList<>();

  Repairing(Counted source, Counted derived, @Nullable Repair repair) {
    this.source = source;
    this.derived = derived;
    this.repair = repair;
  }

  /**
   * @return those that are repaired
   */
  Set<Difference> apply(List<Difference> differences) throws InterruptedException {
    if (repair == null) {
      return Set.of();
    }
    Set<Difference> repaired = new HashSet<>();
    for (int from = 0; from < differences.size(); from += Reconciliation.REPAIRS_AT_ONCE) {
      Counted.checkInterrupted();
      List<Difference> batch =
          differences.subList(
              from, Math.min(differences.size(), from + Reconciliation.REPAIRS_AT_ONCE));
      repaired.addAll(applyBatch(repair, batch));
    }
    return repaired;
  }

  private List<Difference> applyBatch(Repair by, List<Difference> batch) {
    List<Repaired> results = by.apply(batch);
    Map<String, Difference> repaired = new LinkedHashMap<>();
    for (int i = 0; i < batch.size(); i++) {
      Difference difference = batch.get(i);
      Repaired result = results.get(i);
      if (result instanceof Repaired.Done) {
        repaired.put(difference.key(), difference);
      } else if (result instanceof Repaired.Overtaken) {
        overtaken++;
      } else if (result instanceof Repaired.Refused refusal) {
        refused++;
        if (reasons.size() < REASONS) {
          reasons.add(difference.key() + ": " + refusal.why());
        }
      }
    }
    takeBack(by, repaired);
    done += repaired.size();
    return List.copyOf(repaired.values());
  }

  /**
   * A row that was missing may be deleted at the source between its reading and its writing. If the
   * delete came to the derived side first, when nothing was there, nobody else would take away what
   * was written. So it is looked for behind the write, when no delete can be overtaken any more; a
   * crash in between leaves an extra for the next run.
   */
  private void takeBack(Repair by, Map<String, Difference> repaired) {
    List<String> written =
        repaired.values().stream()
            .filter(each -> each.drift() == Drift.MISSING)
            .map(Difference::key)
            .toList();
    if (written.isEmpty()) {
      return;
    }
    Set<String> there = source.read(written).stream().map(Entry::key).collect(Collectors.toSet());
    List<String> gone = written.stream().filter(key -> !there.contains(key)).toList();
    if (gone.isEmpty()) {
      return;
    }
    List<Difference> extras = new ArrayList<>();
    for (Entry entry : derived.read(gone)) {
      Difference before = Objects.requireNonNull(repaired.get(entry.key()));
      Entry wrote = Objects.requireNonNull(before.source());
      if (entry.version().equals(wrote.version())) {
        extras.add(new Difference(Drift.EXTRA, entry.key(), null, entry, before.since()));
      }
    }
    if (!extras.isEmpty()) {
      by.apply(extras);
    }
    gone.forEach(repaired::remove);
    overtaken += gone.size();
  }

  Report.Repairs result() {
    return new Report.Repairs(repair == null, done, overtaken, refused, List.copyOf(reasons));
  }
}
