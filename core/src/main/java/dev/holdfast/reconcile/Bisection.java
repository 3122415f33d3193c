package dev.holdfast.reconcile;

import dev.holdfast.HoldfastException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Finds the keys about which two sides differ. Ranges whose summaries differ are cut into 64 until
 * they are small enough to be listed. Depth first, so that what waits to be cut is bounded by the
 * depth and not by the rows. Used once, by one thread.
 */
final class Bisection {
  private static final int PARTS = 64;
  private static final int ROWS_AT_ONCE = 10_000;

  private final Counted source;
  private final Counted derived;
  private final @Nullable Instant changedBefore;
  private final int listBelow;
  private final int atMost;

  private final Deque<List<HashRange>> toCut = new ArrayDeque<>();
  private final List<Pair> found = new ArrayList<>();

  /**
   * @param listBelow ranges with as many rows, on either side, or fewer are listed
   * @param atMost how many keys are looked for
   */
  Bisection(
      Counted source, Counted derived, @Nullable Instant changedBefore, int listBelow, int atMost) {
    this.source = source;
    this.derived = derived;
    this.changedBefore = changedBefore;
    this.listBelow = listBelow;
    this.atMost = atMost;
  }

  /**
   * @param complete whether everything was compared
   */
  record Found(List<Pair> pairs, boolean complete) {}

  Found run() throws InterruptedException {
    toCut.push(List.of(HashRange.ALL));
    while (!toCut.isEmpty()) {
      if (isEnough()) {
        return new Found(List.copyOf(found.subList(0, atMost)), false);
      }
      Counted.checkInterrupted();
      cut(toCut.pop());
    }
    return found.size() > atMost
        ? new Found(List.copyOf(found.subList(0, atMost)), false)
        : new Found(List.copyOf(found), true);
  }

  private boolean isEnough() {
    return found.size() >= atMost;
  }

  private void cut(List<HashRange> ranges) {
    List<Summary> ofSource = source.summarize(ranges, PARTS, changedBefore);
    List<Summary> ofDerived = derived.summarize(ranges, PARTS, changedBefore);
    List<HashRange> large = new ArrayList<>();
    List<HashRange> small = new ArrayList<>();
    long rows = 0;
    int next = 0;
    for (HashRange range : ranges) {
      for (HashRange part : range.split(PARTS)) {
        Summary a = ofSource.get(next);
        Summary b = ofDerived.get(next++);
        long count = Math.max(a.count(), b.count());
        if (a.equals(b)) {
          continue;
        }
        if (count > listBelow && part.width() > 1) {
          large.add(part);
          continue;
        }
        if (!small.isEmpty()
            && (small.size() == Reconciliation.RANGES_AT_ONCE || rows + count > ROWS_AT_ONCE)) {
          list(small);
          small = new ArrayList<>();
          rows = 0;
        }
        small.add(part);
        rows += count;
      }
    }
    if (!small.isEmpty()) {
      list(small);
    }
    for (int from = 0; from < large.size(); from += Reconciliation.RANGES_AT_ONCE) {
      toCut.push(
          List.copyOf(
              large.subList(from, Math.min(large.size(), from + Reconciliation.RANGES_AT_ONCE))));
    }
  }

  private void list(List<HashRange> ranges) {
    if (isEnough()) {
      // What is left is not looked at, and said to be so.
      toCut.push(ranges);
      return;
    }
    int bound = 2 * ROWS_AT_ONCE;
    List<Entry> ofSource = source.list(ranges, changedBefore, bound);
    List<Entry> ofDerived = derived.list(ranges, changedBefore, bound);
    if (ofSource.size() < bound && ofDerived.size() < bound) {
      compare(ofSource, ofDerived);
    } else if (ranges.size() > 1) {
      // They have grown since they were counted.
      list(ranges.subList(0, ranges.size() / 2));
      list(ranges.subList(ranges.size() / 2, ranges.size()));
    } else if (ranges.get(0).width() > 1) {
      toCut.push(List.copyOf(ranges));
    } else {
      throw new HoldfastException(
          "A side has %,d rows or more of one key, so the two cannot be compared. Nothing was changed. Look whether the key is one: %s"
              .formatted(bound, (ofSource.size() < bound ? ofDerived : ofSource).get(0).key()));
    }
  }

  private void compare(List<Entry> ofSource, List<Entry> ofDerived) {
    for (Pair pair : pairs(ofSource, ofDerived)) {
      if (!pair.agrees()) {
        found.add(pair);
      }
    }
  }

  /** By their keys. */
  static List<Pair> pairs(List<Entry> ofSource, List<Entry> ofDerived) {
    Map<String, Pair> pairs = new TreeMap<>();
    ofSource.forEach(entry -> pair(pairs, entry).source().add(entry));
    ofDerived.forEach(entry -> pair(pairs, entry).derived().add(entry));
    return List.copyOf(pairs.values());
  }

  private static Pair pair(Map<String, Pair> pairs, Entry entry) {
    return pairs.computeIfAbsent(
        entry.key(), key -> new Pair(key, new ArrayList<>(1), new ArrayList<>(1)));
  }
}
