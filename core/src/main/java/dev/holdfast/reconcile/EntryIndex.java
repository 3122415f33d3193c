package dev.holdfast.reconcile;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rows in this process, by the hashes of their keys: for sides that have to be read whole, and as
 * the plainest side there is. A key may be there more than once. Not thread-safe.
 */
public final class EntryIndex {
  private final NavigableMap<Long, List<Entry>> byPoint = new TreeMap<>();
  private int size;

  /** Adds a row, beside others of its key. */
  public void add(Entry entry) {
    byPoint.computeIfAbsent(Hashes.point(entry.key()), any -> new ArrayList<>(1)).add(entry);
    size++;
  }

  /** Has this row alone of its key. */
  public void put(Entry entry) {
    remove(entry.key());
    add(entry);
  }

  /** Has no row of the key. */
  public void remove(String key) {
    long point = Hashes.point(key);
    List<Entry> there = byPoint.get(point);
    if (there != null) {
      int before = there.size();
      there.removeIf(entry -> entry.key().equals(key));
      size -= before - there.size();
      if (there.isEmpty()) {
        byPoint.remove(point);
      }
    }
  }

  public int size() {
    return size;
  }

  /** As {@link SideSession#summarize}. */
  public List<Summary> summarize(
      List<HashRange> ranges, int parts, @Nullable Instant changedBefore) {
    List<Summary> result = new ArrayList<>(ranges.size() * parts);
    for (HashRange range : ranges) {
      long width = range.width() / parts;
      Map<Long, Summary> sums = new HashMap<>();
      for (Map.Entry<Long, List<Entry>> at : within(range).entrySet()) {
        for (Entry entry : at.getValue()) {
          if (counts(entry, changedBefore)) {
            sums.merge(
                (at.getKey() - range.from()) / width,
                Summary.NONE.with(Hashes.fingerprint(entry.key(), entry.version())),
                Summary::and);
          }
        }
      }
      for (long part = 0; part < parts; part++) {
        result.add(sums.getOrDefault(part, Summary.NONE));
      }
    }
    return result;
  }

  /** As {@link SideSession#list}. */
  public List<Entry> list(List<HashRange> ranges, @Nullable Instant changedBefore, int atMost) {
    List<Entry> result = new ArrayList<>();
    for (HashRange range : ranges) {
      for (List<Entry> at : within(range).values()) {
        for (Entry entry : at) {
          if (result.size() == atMost) {
            return result;
          }
          if (counts(entry, changedBefore)) {
            result.add(entry);
          }
        }
      }
    }
    return result;
  }

  /** As {@link SideSession#read}. */
  public List<Entry> read(Collection<String> keys) {
    List<Entry> result = new ArrayList<>();
    for (String key : keys) {
      for (Entry entry : byPoint.getOrDefault(Hashes.point(key), List.of())) {
        if (entry.key().equals(key)) {
          result.add(entry);
        }
      }
    }
    return result;
  }

  private NavigableMap<Long, List<Entry>> within(HashRange range) {
    return byPoint.subMap(range.from(), true, range.to(), false);
  }

  private static boolean counts(Entry entry, @Nullable Instant changedBefore) {
    Instant changed = entry.changedAt();
    return changedBefore == null || changed == null || changed.isBefore(changedBefore);
  }
}
