package dev.holdfast.crashtest.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.model.Counterexample;
import dev.holdfast.crashtest.model.Exploration;
import dev.holdfast.crashtest.model.ModelChecker;
import dev.holdfast.crashtest.twophase.TwoPhaseModel.Scope;
import dev.holdfast.internal.twophase.OwnerProtocol;
import dev.holdfast.internal.twophase.OwnerProtocol.Action;
import dev.holdfast.internal.twophase.OwnerProtocol.Event;
import dev.holdfast.internal.twophase.OwnerProtocol.State;
import dev.holdfast.internal.twophase.OwnerProtocol.Transition;
import dev.holdfast.internal.twophase.RecoveryProtocol.Verdict;
import dev.holdfast.twophase.store.DecisionStore.Probe;
import dev.holdfast.twophase.store.Heuristic;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The protocol with one thing left out or done otherwise, in the smallest world in which that goes
 * wrong. Each has to be found, or the model does not attack what it says it does.
 */
final class TwoPhaseMutantsTest {
  private static final Logger log = LoggerFactory.getLogger(TwoPhaseMutantsTest.class);
  private static final List<Integer> FIRST = List.of(0);
  private static final List<Integer> SECOND = List.of(1);
  private static final String CLEANED_TOO_EARLY =
      "nothing decided is cleaned before every participant has committed";

  private static Counterexample<World> found(String mutant, Scope scope, Rules rules) {
    Exploration<World> explored =
        ModelChecker.bounded(400_000).explore(new TwoPhaseModel(scope, rules));
    assertThat(explored.counterexample()).as("The mutant survives: " + mutant).isPresent();
    log.info("mutant, {}: {}", mutant, explored.report());
    return explored.counterexample().get();
  }

  private static Scope one(int recoverers, int cleaners, int failovers, int hands) {
    return new Scope(1, List.of(FIRST), recoverers, cleaners, failovers, hands);
  }

  /** Takes the rows out that begin with the same state and event, and puts these in. */
  private static OwnerProtocol table(Transition... changed) {
    List<Transition> rows = new ArrayList<>(OwnerProtocol.STANDARD.table());
    for (Transition row : changed) {
      rows.removeIf(old -> old.from() == row.from() && old.event() == row.event());
    }
    rows.addAll(List.of(changed));
    return new OwnerProtocol(rows);
  }

  @Test
  void aDecisionRowThatIsWrittenAfterThePrepare() {
    OwnerProtocol late =
        table(
            new Transition(State.WORKING, Event.WORKED, Action.PREPARE_NEXT, State.PREPARING),
            new Transition(
                State.PREPARING, Event.ALL_PREPARED, Action.WRITE_DECISION, State.DECIDING),
            new Transition(
                State.DECIDING, Event.WRITTEN, Action.COMMIT_DECISION, State.COMMITTING));
    Counterexample<World> found =
        found(
            "the decision row after the prepare",
            one(1, 0, 0, 0),
            new Rules() {
              @Override
              OwnerProtocol table() {
                return late;
              }
            });

    assertThat(found.property().name()).isEqualTo("no abort of a live owner");
    assertThat(found.report().lines())
        .containsExactly(
            "no abort of a live owner: does not hold after these steps",
            "      at first: [an operation: owner NOT_BEGUN; deciding transaction NONE; branches"
                + " [NONE]], recoverers [idle]",
            "   1 ! owner 1: begins, with serial 1",
            "   2   owner 1: has worked in all databases",
            "   3   owner 1: PREPARE at participant 0",
            "   4   recoverer: finds the branch of operation 1 prepared at participant 0",
            "   5   recoverer: asks about operation 1: ROLLED_BACK, so: will roll it back",
            "   6   recoverer: ROLLBACK PREPARED of operation 1 at participant 0, and ends its"
                + " question",
            "      then: [operation 1: owner DECIDING/WRITE_DECISION; deciding transaction OPEN;"
                + " branches [ROLLED_BACK]], recoverers [idle]");
  }

  @Test
  void anAbsenceBelowTheCleanedSerialThatIsReadAsAbort() {
    Counterexample<World> found =
        found(
            "absence below the cleaned serial read as abort",
            one(1, 1, 1, 0),
            new Rules() {
              @Override
              Verdict judge(Probe probe) {
                return super.judge(probe == Probe.FORGOTTEN ? Probe.ROLLED_BACK : probe);
              }
            });

    assertThat(found.property().name()).isEqualTo("agreement");
    assertThat(found.report())
        .contains("cleaner: cleans up to 1 for participant 0")
        .contains(
            "! participant 0: fails over, and has lost the commit of the branch of operation 1")
        .contains("recoverer: asks about operation 1: FORGOTTEN, so: will roll it back");
  }

  @Test
  void aQuestionByPlainSelectRatherThanByInserting() {
    Counterexample<World> found =
        found(
            "asking by a plain SELECT",
            one(1, 0, 0, 0),
            new Rules() {
              @Override
              boolean asksByInserting() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo("no abort of a live owner");
    assertThat(found.last().op(0).isOpen()).isTrue();
  }

  @Test
  void aBranchThatIsNotPreparedTakenForRolledBackSinceThereIsNoWitness() {
    Counterexample<World> found =
        found(
            "no witness: not prepared is taken for rolled back",
            one(1, 0, 0, 0),
            new Rules() {
              @Override
              Optional<Heuristic.Kind> afterCommit(boolean witnessed, boolean forgotten) {
                return super.afterCommit(false, forgotten);
              }
            });

    assertThat(found.property().name()).isEqualTo("no false heuristic outcome");
  }

  @Test
  void aBranchThatIsNotPreparedTakenForCommittedSinceThereIsNoWitness() {
    Counterexample<World> found =
        found(
            "no witness: not prepared is taken for committed",
            one(1, 1, 0, 1),
            new Rules() {
              @Override
              Optional<Heuristic.Kind> afterCommit(boolean witnessed, boolean forgotten) {
                return super.afterCommit(true, forgotten);
              }

              @Override
              Optional<Heuristic.Kind> compare(boolean decided, boolean witnessed) {
                return super.compare(decided, decided);
              }
            });

    assertThat(found.report()).contains("somebody rolls the branch of operation 1 back by hand");
    assertThat(found.property().name())
        .isIn("no orphan", "what was done by hand against the decision is reported");
  }

  @Test
  void aWitnessThatIsForgottenTakenForOneThatNeverWas() {
    Counterexample<World> found =
        found(
            "a forgotten witness is taken for none",
            one(1, 1, 0, 0),
            new Rules() {
              @Override
              Optional<Heuristic.Kind> afterCommit(boolean witnessed, boolean forgotten) {
                return super.afterCommit(witnessed, false);
              }
            });

    assertThat(found.property().name()).isEqualTo("no false heuristic outcome");
    assertThat(found.report()).contains("cleaner: forgets witnesses up to 1 at participant 0");
  }

  @Test
  void aCleanerThatDoesNotLookAtWhatIsPrepared() {
    Counterexample<World> found =
        found(
            "the cleaner does not look at what is prepared",
            one(0, 1, 0, 0),
            new Rules() {
              @Override
              boolean cleanerLooksAtWhatIsPrepared() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo(CLEANED_TOO_EARLY);
  }

  @Test
  void aCleanerThatLooksAtWhatIsPreparedBeforeItKnowsWhatIsOver() {
    Counterexample<World> found =
        found(
            "the cleaner reads what is prepared before what is over",
            one(0, 1, 0, 0),
            new Rules() {
              @Override
              boolean cleanerReadsOverFirst() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo(CLEANED_TOO_EARLY);
  }

  @Test
  void aCleanerThatLetsAnOwnerPrepareWhoseTransactionIsOver() {
    Counterexample<World> found =
        found(
            "the cleaner does not have refused what is over",
            new Scope(1, List.of(FIRST, FIRST), 1, 1, 0, 0),
            new Rules() {
              @Override
              boolean cleanerHasWhatIsOverRefused() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo("no false heuristic outcome");
    assertThat(found.report()).contains("recoverer: records TOO_OLD of operation 2");
  }

  @Test
  void aCleanerThatDoesNotLookWhetherAnotherHasCleaned() {
    Counterexample<World> found =
        found(
            "the cleaner sets without comparing",
            one(0, 2, 0, 0),
            new Rules() {
              @Override
              boolean cleanerComparesAndSets() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo("no false heuristic outcome");
  }

  /** Either of the two is enough, but a branch that reads an old snapshot is not refused. */
  @Test
  void aSerialThatIsOverAndIsHandedOutAgainAfterACrash() {
    Counterexample<World> found =
        found(
            "what is over is not flushed",
            new Scope(1, List.of(FIRST, FIRST), 0, 1, 0, 0),
            new Rules() {
              @Override
              boolean whatIsOverIsFlushed() {
                return false;
              }

              @Override
              boolean cleanerHasWhatIsOverRefused() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo(CLEANED_TOO_EARLY);
    assertThat(found.report())
        .contains("owner 2: begins, with serial 1, which is handed out again");
  }

  @Test
  void anAttemptThatIsNamedByItsSerialAlone() {
    Counterexample<World> found =
        found(
            "a serial without a nonce",
            new Scope(2, List.of(FIRST, SECOND), 1, 0, 0, 0),
            new Rules() {
              @Override
              boolean namesByNonce() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo("agreement");
    assertThat(found.report())
        .contains("owner 2: begins, with serial 1, which is handed out again");
  }

  @Test
  void aQuestionThatLooksUpBeforehandUpToWhereItIsCleaned() {
    Counterexample<World> found =
        found(
            "up to where it is cleaned, read before the question",
            one(1, 1, 1, 0),
            new Rules() {
              @Override
              boolean readsCleanedAfterAsking() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo("agreement");
  }

  @Test
  void aLostReplyThatIsTakenForAFailure() {
    OwnerProtocol sure =
        table(new Transition(State.COMMITTING, Event.REPLY_LOST, Action.ROLL_BACK, State.UNDOING));
    Counterexample<World> found =
        found(
            "a lost reply is taken for a failure",
            one(0, 0, 0, 0),
            new Rules() {
              @Override
              OwnerProtocol table() {
                return sure;
              }
            });

    assertThat(found.property().name()).isEqualTo("agreement");
  }
}
