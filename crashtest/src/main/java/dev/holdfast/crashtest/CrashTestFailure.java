package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.RunReport;
import java.util.stream.Collectors;

/** A crash test that has found something wrong with the operation. */
public final class CrashTestFailure extends AssertionError {
  private static final long serialVersionUID = 1L;

  private CrashTestFailure(String message) {
    super(message);
  }

  /**
   * Returns when the run passed.
   *
   * @throws CrashTestFailure when it found something wrong
   * @throws CrashLabException when it could not be made as planned
   */
  public static void throwUnlessPassed(RunReport run) {
    Problem problem = run.problem();
    if (problem != null) {
      throw new CrashLabException(problem);
    }
    if (!run.findings().isEmpty()) {
      throw new CrashTestFailure(
          "%s%n  %s%n  replay: -D%s=%s"
              .formatted(
                  run.title(),
                  run.findings().stream()
                      .map(Finding::toString)
                      .collect(Collectors.joining(System.lineSeparator() + "  ")),
                  CrashTest.REPLAY_PROPERTY,
                  run.replayId()));
    }
  }
}
