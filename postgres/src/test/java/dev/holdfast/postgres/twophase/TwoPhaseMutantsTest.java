package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.TwoPhaseConformance;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.twophase.store.BranchStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Negative controls of {@link PostgresTwoPhaseConformanceTest}: with a step of the protocol taken
 * out, the same tests find what goes wrong.
 */
final class TwoPhaseMutantsTest {

  /** Does not wait long for what is lost. */
  private abstract static class Mutated extends PostgresTwoPhase {
    @Override
    protected Duration settling() {
      return Duration.ofSeconds(2);
    }
  }

  private static final class DecidesLate extends Mutated {
    @Override
    protected DataSource decider(DataSource real) {
      return LateDecision.in(real);
    }
  }

  private static final class DoesNotRecover extends Mutated {
    @Override
    protected BranchStore participant(BranchStore real) {
      return (BranchStore)
          Proxy.newProxyInstance(
              BranchStore.class.getClassLoader(),
              new Class<?>[] {BranchStore.class},
              (self, method, args) -> {
                if (method.getName().equals("prepared")) {
                  return List.of();
                }
                try {
                  return method.invoke(real, args);
                } catch (InvocationTargetException e) {
                  throw e.getCause() == null ? e : e.getCause();
                }
              });
    }
  }

  /** Whoever asks finds no decision, and nobody who is about to write one. */
  @Test
  void aDecisionThatIsWrittenAfterThePrepareLosesTheBranchOfALiveOwner() {
    assertThat(new DecidesLate().pausedOncePrepared())
        .extracting(Finding::verdict)
        .containsExactly(Verdict.LOST);
  }

  @Tag("long")
  @Test
  void withoutRecoveryWhatIsDecidedIsLostInTheOtherDatabase() {
    RunReport failure =
        new DoesNotRecover()
            .firstFailure(
                TwoPhaseConformance::twoDatabases,
                CrashLab.Options.defaults().withCarriers(Carrier.FENCED).withSeed(1));

    assertThat(failure.findings())
        .as(failure.title())
        .extracting(Finding::verdict)
        .containsOnly(Verdict.LOST);
    assertThat(failure.findings())
        .allMatch(finding -> finding.text().contains("conformance_entry"));
  }
}
