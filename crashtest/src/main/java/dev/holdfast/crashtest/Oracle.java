package dev.holdfast.crashtest;

import dev.holdfast.boundary.Outcome;
import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import java.util.ArrayList;
import java.util.List;

/**
 * Compares what a caller was told with what is there. A pure decision:
 *
 * <table>
 * <caption>What must be there</caption>
 * <tr><th>the caller was told</th><th>of every effect there must be</th></tr>
 * <tr><td>it has happened</td><td>all</td></tr>
 * <tr><td>it has not, and will not</td><td>none, or what was made up for</td></tr>
 * <tr><td>nothing certain</td><td>all of every one, or none of any</td></tr>
 * </table>
 *
 * A drill may excuse two things: what is there too often, and, if the first effect is gone, what
 * the others have become.
 */
final class Oracle {
  private final List<Expectation> expectations;
  private final List<CommitPoint> golden;
  private final boolean mayLose;
  private final boolean mayRepeat;

  Oracle(List<Expectation> expectations, List<CommitPoint> golden) {
    this(expectations, golden, false, false);
  }

  private Oracle(
      List<Expectation> expectations,
      List<CommitPoint> golden,
      boolean mayLose,
      boolean mayRepeat) {
    this.expectations = expectations;
    this.golden = golden;
    this.mayLose = mayLose;
    this.mayRepeat = mayRepeat;
  }

  /**
   * The same after a drill, and the excuses that it has: only what was there can have been lost.
   *
   * @param before what was there when it struck
   */
  Oracle after(Drill drill, List<Seen> before) {
    boolean wasThere = before.get(0).net() > 0;
    return new Oracle(expectations, golden, drill.mayLose() && wasThere, drill.mayRepeat());
  }

  /** The same for an operation that began after the drill: what is lost now is lost by others. */
  Oracle losingNothing() {
    return new Oracle(expectations, golden, false, mayRepeat);
  }

  boolean isAll(List<Seen> seen) {
    for (int i = 0; i < seen.size(); i++) {
      if (!isComplete(i, seen)) {
        return false;
      }
    }
    return true;
  }

  private boolean isComplete(int index, List<Seen> seen) {
    Expectation effect = expectations.get(index);
    Seen found = seen.get(index);
    return mayRepeat ? effect.isCompleteWithRepeats(found) : effect.isComplete(found);
  }

  static boolean isNone(List<Seen> seen) {
    return seen.stream().allMatch(each -> each.net() == 0);
  }

  boolean isAcceptable(Outcome told, List<Seen> seen) {
    if (mayLose && seen.get(0).net() == 0) {
      return true;
    }
    if (told instanceof Outcome.Committed) {
      return isAll(seen);
    }
    return isNone(seen) || (told instanceof Outcome.Unknown && isAll(seen));
  }

  /** Whether something is there that no waiting takes away. */
  boolean isBeyondRepair(List<Seen> seen) {
    for (int i = 0; i < seen.size(); i++) {
      if (!mayRepeat && expectations.get(i).isTooMuch(seen.get(i))) {
        return true;
      }
    }
    return false;
  }

  /** Why it is not acceptable; empty when it is. */
  List<Finding> judge(Outcome told, List<Seen> seen) {
    List<Finding> findings = new ArrayList<>();
    if (isAcceptable(told, seen)) {
      return findings;
    }
    if (told instanceof Outcome.Rejected rejected) {
      findings.add(
          new Finding(
              Verdict.MISREPORTED,
              "the caller was told that nothing has happened (%s), but there is %s"
                  .formatted(rejected.reason(), inventory(seen))));
    }
    if (told instanceof Outcome.Committed && isNone(seen)) {
      findings.add(
          new Finding(
              Verdict.MISREPORTED,
              "the caller was told that it has happened, but there is " + inventory(seen)));
      return findings;
    }
    if (!isNone(seen) && !isAll(seen)) {
      judgeEach(seen, findings);
    }
    return findings;
  }

  private void judgeEach(List<Seen> seen, List<Finding> findings) {
    for (int i = 0; i < seen.size(); i++) {
      Expectation effect = expectations.get(i);
      Seen found = seen.get(i);
      if (isComplete(i, seen)) {
        continue;
      }
      if (effect.lacks(found)) {
        findings.add(missing(i, seen));
      } else if (mayRepeat ? effect.hasOthers(found) : found.net() > effect.times()) {
        findings.add(
            new Finding(
                Verdict.DUPLICATE,
                "%s is there %s, should be %d (made at %s)"
                    .formatted(effect, count(found), effect.times(), site(effect))));
      } else {
        findings.add(
            new Finding(
                Verdict.REORDERED,
                "%s is there as %s (made at %s)".formatted(effect, found.values(), site(effect))));
      }
    }
  }

  /** Without the first effect the others are inventions; without a later one, it is lost. */
  private Finding missing(int index, List<Seen> seen) {
    Expectation effect = expectations.get(index);
    List<String> there = new ArrayList<>();
    for (int i = 0; i < seen.size(); i++) {
      if (i != index && seen.get(i).net() > 0) {
        there.add(expectations.get(i) + " (made at " + site(expectations.get(i)) + ")");
      }
    }
    String found = seen.get(index).net() == 0 ? "is missing" : "is there " + count(seen.get(index));
    String text =
        "%s %s (to be made at %s)%s"
            .formatted(
                effect,
                found,
                site(effect),
                there.isEmpty() ? "" : ", though there is " + String.join(" and ", there));
    boolean phantom = index == 0 && !there.isEmpty();
    return new Finding(phantom ? Verdict.PHANTOM : Verdict.LOST, text);
  }

  private String inventory(List<Seen> seen) {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < seen.size(); i++) {
      Expectation effect = expectations.get(i);
      parts.add("%s: %s (made at %s)".formatted(effect, seen.get(i), site(effect)));
    }
    return String.join(", ", parts);
  }

  private static String count(Seen found) {
    return found + (found.net() == 1 ? " time" : " times");
  }

  private String site(Expectation effect) {
    return effect.madeBy(golden).map(change -> change.site().toString()).orElse("an unknown line");
  }
}
