package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import org.junit.jupiter.api.Test;

/**
 * Negative controls of {@link PostgresWorkflowConformanceTest}: where the service does not do what
 * a step says of it, the same tests find what goes wrong.
 */
final class WorkflowControlsTest {
  private final PostgresWorkflowConformanceTest suite = new PostgresWorkflowConformanceTest();

  /** Crashes show the same, and take longer. */
  private static CrashLab.Options lostReplies() {
    return CrashLab.Options.defaults().withCarriers(Carrier.LOST_ACK);
  }

  @Test
  void aCallWithoutAKeyIsExecutedTwice() {
    RunReport failure = suite.firstFailureWithoutKeys(lostReplies());

    assertThat(failure.findings())
        .as(failure.title())
        .extracting(Finding::verdict)
        .containsOnly(Verdict.DUPLICATE);
    assertThat(failure.findings()).allMatch(finding -> finding.text().contains("execution"));
  }

  @Test
  void aCompensationThatIsNotIdempotentIsExecutedTwice() {
    RunReport failure = suite.firstFailureWithoutIdempotentCompensation(lostReplies());

    assertThat(failure.findings())
        .as(failure.title())
        .extracting(Finding::verdict)
        .containsOnly(Verdict.DUPLICATE);
    assertThat(failure.findings()).allMatch(finding -> finding.text().contains("undoing"));
  }

  /** The engine relies on settleAfter, and on nothing else, where a call has no key. */
  @Test
  void aCallThatIsUnderWayForLongerThanSettleAfterIsExecutedTwice() {
    assertThat(suite.calledAfterItHasSettled())
        .extracting(Finding::verdict)
        .containsOnly(Verdict.DUPLICATE);
  }
}
