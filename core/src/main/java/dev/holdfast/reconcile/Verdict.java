package dev.holdfast.reconcile;

import dev.holdfast.HoldfastException;
import java.math.BigInteger;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a pair that differed amounts to when it is read again, the derived side first.
 *
 * <p>It counts when the source had the same at both readings and the derived side, read between
 * them and a settle window behind the first, had not come to it. What the source deletes leaves no
 * time behind, so an extra counts only when the derived side had the same at both readings, too: a
 * row that was inserted and deleted meanwhile, and whose delete is on its way, is another one.
 */
sealed interface Verdict {
  /** They agree by now. */
  record Agreed() implements Verdict {}

  /** One of them has changed meanwhile; the next run looks again. */
  record Unsettled() implements Verdict {}

  /** They differ. */
  record Differs(Drift drift, @Nullable Entry source, @Nullable Entry derived) implements Verdict {}

  static Verdict of(Pair first, Pair now, Versions versions) {
    if (now.agrees()) {
      return new Agreed();
    }
    if (!same(first.source(), now.source())) {
      return new Unsettled();
    }
    boolean derivedIsSame = same(first.derived(), now.derived());
    Entry source = Pair.only(now.source());
    Entry derived = Pair.only(now.derived());
    if (now.isDuplicate()) {
      return derivedIsSame ? new Differs(Drift.DUPLICATE, source, derived) : new Unsettled();
    }
    if (source == null) {
      return derivedIsSame ? new Differs(Drift.EXTRA, null, derived) : new Unsettled();
    }
    if (derived == null) {
      return new Differs(Drift.MISSING, source, null);
    }
    boolean isNewer = versions == Versions.NUMBERS && number(derived).compareTo(number(source)) > 0;
    return new Differs(isNewer ? Drift.NEWER : Drift.STALE, source, derived);
  }

  private static boolean same(List<Entry> first, List<Entry> now) {
    return first.size() == now.size() && new HashSet<>(first).equals(new HashSet<>(now));
  }

  private static BigInteger number(Entry entry) {
    try {
      return new BigInteger(entry.version());
    } catch (NumberFormatException e) {
      throw new HoldfastException(
          "The version of key %s is no whole number, so it is not known which side is newer. Nothing was changed since. Compare by content, or by a column that has whole numbers."
              .formatted(entry.key()),
          e);
    }
  }
}
