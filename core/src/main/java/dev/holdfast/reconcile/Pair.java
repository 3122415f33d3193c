package dev.holdfast.reconcile;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What both sides have of a key; of more than one row, all. When it was listed, rows of the settle
 * window may be left out of it.
 */
record Pair(String key, List<Entry> source, List<Entry> derived) {

  boolean agrees() {
    return versions(source).equals(versions(derived));
  }

  boolean isDuplicate() {
    return source.size() > 1 || derived.size() > 1;
  }

  static @Nullable Entry only(List<Entry> entries) {
    return entries.isEmpty() ? null : entries.get(0);
  }

  private static List<String> versions(List<Entry> entries) {
    return entries.stream().map(Entry::version).sorted().toList();
  }
}
