package dev.holdfast.crashtest.report;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One run.
 *
 * @param replayId one line that runs it again
 * @param title one line for people
 * @param carrier how the fault was made; none for the golden run
 * @param faults what was planned: none, one, or two
 * @param findings what is wrong with the operation
 * @param problem why the run says nothing, or null when it does say something
 * @param notes what a reader should know, such as a loss that a client library absorbed
 * @param trace the commit points that were passed, in order
 * @param took how long it took
 */
public record RunReport(
    String replayId,
    String title,
    @Nullable Carrier carrier,
    List<Fault> faults,
    List<Finding> findings,
    @Nullable Problem problem,
    List<String> notes,
    List<CommitPoint> trace,
    Duration took) {
  public RunReport {
    faults = List.copyOf(faults);
    findings = List.copyOf(findings);
    notes = List.copyOf(notes);
    trace = List.copyOf(trace);
  }

  /** Whether the run was made as planned and found nothing wrong. */
  public boolean passed() {
    return problem == null && findings.isEmpty();
  }

  /** The same with one more note. */
  public RunReport withNote(String note) {
    List<String> more = new ArrayList<>(notes);
    more.add(note);
    return new RunReport(replayId, title, carrier, faults, findings, problem, more, trace, took);
  }

  /** The same with a problem. */
  public RunReport withProblem(Problem what) {
    return new RunReport(replayId, title, carrier, faults, findings, what, notes, trace, took);
  }

  public boolean isGolden() {
    return faults.isEmpty();
  }
}
