package dev.holdfast.crashtest.report;

import java.util.List;
import java.util.stream.Stream;

/**
 * All runs of one operation.
 *
 * @param operation its name
 * @param seed what fixes the keys
 * @param points the commit points of the golden run, in order
 * @param runs the runs made so far, the golden one first
 */
public record ExplorationReport(
    String operation, long seed, List<CommitPoint> points, List<RunReport> runs) {
  public ExplorationReport {
    points = List.copyOf(points);
    runs = List.copyOf(runs);
  }

  /** Whether every run was made as planned and found nothing wrong. */
  public boolean passed() {
    return !runs.isEmpty() && runs.stream().allMatch(RunReport::passed);
  }

  /** How it went, in a few words. */
  String summary() {
    long failed = runs.stream().filter(run -> !run.passed()).count();
    String result = failed == 0 ? "all held" : failed + " did not hold";
    return "%d commit point%s, %d run%s, %s"
        .formatted(
            points.size(),
            points.size() == 1 ? "" : "s",
            runs.size(),
            runs.size() == 1 ? "" : "s",
            runs.isEmpty() ? "nothing is known" : result);
  }

  /** Everything found wrong, over all runs. */
  public Stream<Finding> findings() {
    return runs.stream().flatMap(run -> run.findings().stream());
  }
}
