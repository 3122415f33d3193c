package dev.holdfast.reconcile;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * Since when keys are known to differ, from one run to the next. Bounded by what a run looks for.
 * Guarded by the lock of the runs.
 */
final class Ages {
  private Map<String, Instant> known = Map.of();

  /**
   * @param seen when it was seen just now
   */
  Instant since(String key, Instant seen) {
    return known.getOrDefault(key, seen);
  }

  /** Forgets all but these. */
  void keep(Iterable<Difference> differences) {
    Map<String, Instant> next = new HashMap<>();
    for (Difference each : differences) {
      next.put(each.key(), each.since());
    }
    known = next;
  }
}
