package dev.holdfast.cli.prove.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.Run;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The protocol holds, and what it is without one of its steps does not. */
class TwoPhaseProofTest {

  @Tag("long") // The ordinary build explores the protocol's model, and its crash points.
  @Test
  void nothingIsViolatedAndNothingLeftPrepared() {
    Run run = Run.of("prove", "twophase", "--minutes", "2", "--seed", "7");

    assertThat(run.status()).as(run.out() + run.err()).isZero();
    assertThat(run.out()).contains("No violation, and nothing left prepared");
  }

  @Tag("long")
  @ParameterizedTest
  @ValueSource(
      strings = {"decision-after-prepare", "look-instead-of-insert", "forgotten-is-aborted"})
  void aMutantIsFound(String mutant) {
    Run run = Run.of("prove", "twophase", "--minutes", "3", "--mutant", mutant);

    assertThat(run.status()).as(run.out() + run.err()).isEqualTo(1);
    assertThat(run.out()).contains("VIOLATION: ");
  }

  @Test
  void whatCannotBeMeantIsRefusedBeforeAnythingStarts() {
    Run unknown = Run.of("prove", "twophase", "--mutant", "none-such");
    assertThat(unknown.status()).isNotZero();
    assertThat(unknown.err()).contains("decision-after-prepare").contains("Nothing was started");

    Run never = Run.of("prove", "twophase", "--minutes", "0");
    assertThat(never.status()).isNotZero();
    assertThat(never.err()).contains("1 to 1,440");
  }
}
