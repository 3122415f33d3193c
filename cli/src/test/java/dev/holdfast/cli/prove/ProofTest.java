package dev.holdfast.cli.prove;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Fault;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.report.Verdict;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What counts as shown. */
class ProofTest {
  @Test
  void aDualWriteHasToLoseSomething() {
    assertThat(proof(Subject.DUAL_WRITE, run(null, Verdict.LOST), run(null)))
        .matches(Proof::isShown)
        .extracting(Proof::meaning)
        .asString()
        .startsWith("Red, as a dual write has to be: 1 of 2 faults");
    assertThat(proof(Subject.DUAL_WRITE, run(null), run(null)))
        .matches(proof -> !proof.isShown())
        .extracting(Proof::meaning)
        .asString()
        .contains("defect", "--seed 7");
    assertThat(proof(Subject.DUAL_WRITE, run(null, Verdict.DUPLICATE)).isShown()).isFalse();
  }

  @Test
  void anOutboxHasToHoldEverywhere() {
    assertThat(proof(Subject.OUTBOX, run(null), run(null)))
        .matches(Proof::isShown)
        .extracting(Proof::meaning)
        .asString()
        .startsWith("Green: none of 2 faults");
    assertThat(proof(Subject.OUTBOX, run(null), run(null, Verdict.DUPLICATE)))
        .matches(proof -> !proof.isShown())
        .extracting(Proof::meaning)
        .asString()
        .startsWith("Not green: 1 of 2 faults");
  }

  @Test
  void whatCouldNotBeMadeShowsNothing() {
    Problem problem = new Problem(Problem.Kind.POINT_NOT_REACHED, "it did not come", null);
    for (Subject subject : Subject.values()) {
      assertThat(proof(subject, run(null, Verdict.LOST), run(problem)))
          .matches(proof -> !proof.isShown())
          .extracting(Proof::meaning)
          .asString()
          .startsWith("This says nothing, since 1 of 2 runs");
      assertThat(proof(subject).isShown()).isFalse();
    }
  }

  @Test
  void aRunMadeAgainHasToFindNothing() {
    for (Subject subject : Subject.values()) {
      assertThat(new Proof(subject, report(run(null)), true))
          .matches(Proof::isShown)
          .extracting(Proof::meaning)
          .asString()
          .startsWith("Held");
      assertThat(new Proof(subject, report(run(null, Verdict.LOST)), true))
          .matches(proof -> !proof.isShown())
          .extracting(Proof::meaning)
          .asString()
          .startsWith("Not held");
    }
  }

  private static Proof proof(Subject subject, RunReport... runs) {
    return new Proof(subject, report(runs), false);
  }

  private static ExplorationReport report(RunReport... runs) {
    return new ExplorationReport("place", 7, List.of(), List.of(runs));
  }

  private static RunReport run(@Nullable Problem problem, Verdict... verdicts) {
    return new RunReport(
        "fenced:after-last:seed-7",
        "simulated crash after the last commit point",
        Carrier.FENCED,
        List.of(new Fault(Stage.AFTER_LAST, null, 0)),
        List.of(verdicts).stream().map(verdict -> new Finding(verdict, "seen")).toList(),
        problem,
        List.of(),
        List.of(),
        Duration.ofMillis(1));
  }
}
