package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.resource.Change;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One effect that an operation has, for its key, when it has happened as a whole. Made by {@link
 * Expect}. Immutable.
 */
public final class Expectation {

  /** Finds what is there for a key. */
  interface Probe {
    List<String> values(Truth.Lookup truths, String key);
  }

  private final String what;

  /** What the statement or topic that makes the effect is called; null when there is no telling. */
  private final @Nullable String madeThrough;

  private final Probe probe;
  private final int times;
  private final @Nullable List<String> order;
  private final @Nullable Expectation compensation;

  private Expectation(
      String what,
      @Nullable String madeThrough,
      Probe probe,
      int times,
      @Nullable List<String> order,
      @Nullable Expectation compensation) {
    this.what = what;
    this.madeThrough = madeThrough;
    this.probe = probe;
    this.times = times;
    this.order = order;
    this.compensation = compensation;
  }

  /** An effect that is there so many times. */
  static Expectation times(String what, @Nullable String madeThrough, Probe probe, int times) {
    if (times < 1) {
      throw new IllegalArgumentException("An effect is there at least once: " + times);
    }
    return new Expectation(what, madeThrough, probe, times, null, null);
  }

  /** Effects that are there with these values, once each, in this order. */
  static Expectation inOrder(
      String what, @Nullable String madeThrough, Probe probe, List<String> values) {
    List<String> order = List.copyOf(values);
    return new Expectation(what, madeThrough, probe, order.size(), order, null);
  }

  /**
   * An effect that may be made up for by another, as a charge is by a refund. An operation that
   * failed may have left it when it is made up for as often as it is there.
   */
  public Expectation compensatedBy(Expectation other) {
    return new Expectation(what, madeThrough, probe, times, order, other);
  }

  Seen observe(Truth.Lookup truths, String key) {
    int compensated = compensation == null ? 0 : compensation.probe.values(truths, key).size();
    return new Seen(probe.values(truths, key), compensated);
  }

  boolean isComplete(Seen seen) {
    return seen.net() == times && (order == null || order.equals(seen.values()));
  }

  /** Whether everything is there, and behind one another where it is for the first time. */
  boolean isCompleteWithRepeats(Seen seen) {
    return seen.net() >= times
        && (order == null || order.equals(seen.values().stream().distinct().toList()));
  }

  /** Whether something of it is not there. */
  boolean lacks(Seen seen) {
    return seen.net() < times || (order != null && !seen.values().containsAll(order));
  }

  /** Whether there are values that were not expected at all. */
  boolean hasOthers(Seen seen) {
    return order != null && !order.containsAll(seen.values());
  }

  /** Whether repeats of one could hide that another is missing. */
  boolean countsAlike() {
    return order == null && times > 1;
  }

  /** Whether there is more than there should be, and nothing that could make up for it. */
  boolean isTooMuch(Seen seen) {
    return compensation == null && seen.net() > times;
  }

  int times() {
    return times;
  }

  /** The line that makes this effect, as far as the golden run tells. */
  Optional<Change> madeBy(List<CommitPoint> golden) {
    String name = madeThrough;
    if (name == null) {
      return Optional.empty();
    }
    return golden.stream()
        .flatMap(point -> point.changes().stream())
        .filter(change -> mentions(change.what(), name))
        .findFirst();
  }

  private static boolean mentions(String text, String name) {
    return java.util.regex.Pattern.compile(
            "(?<![\\w-])"
                + java.util.regex.Pattern.quote(name.toLowerCase(Locale.ROOT))
                + "(?![\\w-])")
        .matcher(text.toLowerCase(Locale.ROOT))
        .find();
  }

  /** For people, such as {@code row in orders}. */
  @Override
  public String toString() {
    return what;
  }
}
