package dev.holdfast.reconcile;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a run has found and done.
 *
 * @param source what was compared, for people
 * @param derived with what
 * @param at when it was begun, by the source's clock
 * @param took how long it took, the settle window included
 * @param complete whether everything was compared; if not, the counts are of what was, and there
 *     may be more
 * @param suspected keys that differed when they were first read
 * @param unsettled those of them that changed again before they were read a second time: neither
 *     drift nor agreement, and looked at by the next run
 * @param counts how many differences of each kind there were, before repairs; exact
 * @param samples some of them, of each kind
 * @param oldest since when the oldest of those that are left is known to be; empty when none is
 * @param repairs what was done about them; all zero in a dry run
 * @param work what it cost
 */
public record Report(
    String source,
    String derived,
    Instant at,
    Duration took,
    boolean complete,
    long suspected,
    long unsettled,
    Map<Drift, Long> counts,
    List<Difference> samples,
    Optional<Instant> oldest,
    Repairs repairs,
    Work work) {

  /**
   * What was done about differences.
   *
   * @param dryRun whether nothing was to be repaired
   * @param done repaired
   * @param overtaken not repaired, since somebody wrote meanwhile
   * @param refused not repaired, since the derived side does not take it
   * @param reasons some of the reasons of those
   */
  public record Repairs(
      boolean dryRun, long done, long overtaken, long refused, List<String> reasons) {}

  public Report {
    counts = Map.copyOf(counts);
    samples = List.copyOf(samples);
  }

  /** How many differences of a kind there were. */
  public long count(Drift drift) {
    return counts.getOrDefault(drift, 0L);
  }

  /** How many differences there were. */
  public long differences() {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** How many of them are left. */
  public long left() {
    return differences() - repairs.done();
  }

  /** How old the oldest difference is that is left; zero when none is. */
  public Duration driftAge() {
    return oldest
        .map(since -> Duration.between(since, at.plus(took)))
        .filter(age -> !age.isNegative())
        .orElse(Duration.ZERO);
  }
}
