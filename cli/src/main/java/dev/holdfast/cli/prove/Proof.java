package dev.holdfast.cli.prove;

import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.report.Verdict;
import java.util.List;

/**
 * What an exploration of one subject showed. A pure decision.
 *
 * @param replayed whether it was one run made again, rather than all
 */
record Proof(Subject subject, ExplorationReport report, boolean replayed) {

  /**
   * Whether it showed what it has to: the outbox that everything holds, the dual write that it
   * loses messages. An exploration that could not be made whole shows neither. A run made again has
   * to find nothing, as a test.
   */
  boolean isShown() {
    if (replayed) {
      return report.passed();
    }
    return notMade() == 0
        && !faults().isEmpty()
        && switch (subject) {
          case DUAL_WRITE -> losing() > 0;
          case OUTBOX -> report.passed();
        };
  }

  /** One sentence for people. */
  String meaning() {
    if (notMade() > 0 || (faults().isEmpty() && !replayed)) {
      return "This says nothing, since %d of %d runs could not be made as planned, for the reasons above: run it again, on a machine with less to do if there is such."
          .formatted(notMade(), report.runs().size());
    }
    if (replayed) {
      return isShown()
          ? "Held: the run made again finds nothing wrong."
          : "Not held: the run made again finds what is said above.";
    }
    return switch (subject) {
      case DUAL_WRITE ->
          isShown()
              ? "Red, as a dual write has to be: %d of %d faults leave an order of which nobody will ever hear, such as a %s."
                  .formatted(losing(), faults().size(), example())
              : "No message was lost, so the crash lab did not find what is there: this is a defect, report it with --seed %d."
                  .formatted(report.seed());
      case OUTBOX ->
          isShown()
              ? "Green: none of %d faults, at every point where the service or its relay commits something of an order, separates the order from its message or repeats either."
                  .formatted(faults().size())
              : "Not green: %d of %d faults break what Holdfast promises: this is a defect, report it with the lines above."
                  .formatted(
                      faults().stream().filter(run -> !run.passed()).count(), faults().size());
    };
  }

  private List<RunReport> faults() {
    return report.runs().stream().filter(run -> !run.isGolden()).toList();
  }

  private long notMade() {
    return report.runs().stream().filter(run -> run.problem() != null).count();
  }

  private long losing() {
    return faults().stream().filter(Proof::loses).count();
  }

  private static boolean loses(RunReport run) {
    return run.findings().stream().anyMatch(finding -> finding.verdict() == Verdict.LOST);
  }

  /** The plainest: the process dies between the two commits. */
  private String example() {
    List<RunReport> losses = faults().stream().filter(Proof::loses).toList();
    return losses.stream()
        .filter(run -> run.faults().get(0).stage() == Stage.BEFORE)
        .findFirst()
        .orElse(losses.get(0))
        .title();
  }
}
