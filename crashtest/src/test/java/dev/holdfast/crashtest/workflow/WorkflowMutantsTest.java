package dev.holdfast.crashtest.workflow;

import static dev.holdfast.crashtest.workflow.WorkflowModelTest.CALL;
import static dev.holdfast.crashtest.workflow.WorkflowModelTest.CALL_FIRST;
import static dev.holdfast.crashtest.workflow.WorkflowModelTest.KEEPING;
import static dev.holdfast.crashtest.workflow.WorkflowModelTest.KEYED;
import static dev.holdfast.crashtest.workflow.WorkflowModelTest.TRANSACTION_FIRST;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.model.Counterexample;
import dev.holdfast.crashtest.model.Exploration;
import dev.holdfast.crashtest.model.ModelChecker;
import dev.holdfast.crashtest.workflow.Executor.Doubt;
import dev.holdfast.crashtest.workflow.WorkflowModel.Called;
import dev.holdfast.crashtest.workflow.WorkflowModel.Ends;
import dev.holdfast.crashtest.workflow.WorkflowModel.Kinds;
import dev.holdfast.crashtest.workflow.WorkflowModel.Scope;
import dev.holdfast.internal.workflow.CallProtocol.Event;
import dev.holdfast.internal.workflow.CallProtocol.Next;
import dev.holdfast.internal.workflow.CallProtocol.Situation;
import dev.holdfast.internal.workflow.Policy;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine with one thing left out or done otherwise, in the smallest world in which that goes
 * wrong. Each has to be found, or the model does not attack what it says it does.
 */
final class WorkflowMutantsTest {
  private static final Logger log = LoggerFactory.getLogger(WorkflowMutantsTest.class);
  private static final String TWICE = "no effect twice";
  private static final String NOT_UNDONE = "what has failed or was cancelled is undone";
  private static final Scope ONE_CALL = CALL_FIRST.of(Kinds.CALL);

  private static Counterexample<World> found(String mutant, Scope scope, WorkflowRules rules) {
    Exploration<World> explored =
        ModelChecker.bounded(500_000).explore(new WorkflowModel(scope, rules));
    assertThat(explored.counterexample()).as("The mutant survives: " + mutant).isPresent();
    log.info("mutant, {}: {}", mutant, explored.report());
    return explored.counterexample().get();
  }

  @Test
  void aCompensationThatIsRegisteredAfterTheEffect() {
    Counterexample<World> found =
        found(
            "the compensation registered after the effect",
            ONE_CALL.with(KEYED).with(KEEPING).cancelled(),
            new WorkflowRules() {
              @Override
              boolean recordsIntent(Policy policy) {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo(NOT_UNDONE);
    assertThat(found.report())
        .contains("executor 1: the call returns")
        .contains("! somebody cancels the run");
  }

  @Test
  void notSeenYetThatIsReadAsANoWhileARequestIsUnderWay() {
    Counterexample<World> found =
        found(
            "not seen yet read as no",
            ONE_CALL,
            new WorkflowRules() {
              @Override
              boolean isSettled(Doubt doubt) {
                return true;
              }
            });

    assertThat(found.property().name()).isEqualTo(TWICE);
    assertThat(found.report()).contains("asks what became of step 0: NOT_SEEN");
  }

  @Test
  void aFenceThatDoesNotConflictWithATakeover() {
    Counterexample<World> found =
        found(
            "an append that does not lock the row",
            ONE_CALL,
            new WorkflowRules() {
              @Override
              boolean fenceLocks() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo("a former owner writes nothing");
    assertThat(found.report().lines())
        .containsExactly(
            "a former owner writes nothing: does not hold after these steps",
            "      at first: PARKED; journal []; steps [nothing]; executors [free, free]",
            "   1   executor 1: claims the run",
            "   2 ! executor 1: is paused, and its lease expires",
            "   3   executor 1: reads the journal",
            "   4   database: append [INTENT 0] of executor 1 comes to the fence",
            "   5   executor 2: takes the run over",
            "   6   database: append [INTENT 0] of executor 1 (past the fence) is committed",
            "      then: RUNNING by executor 2; journal [INTENT 0]; steps [nothing]; executors"
                + " [INTENDED of step 0, expired, READ of step 0]; WRITTEN_BY_A_FORMER_OWNER");
  }

  @Test
  void aLostReplyToATransactionThatIsTakenForAFailure() {
    Counterexample<World> found =
        found(
            "a lost reply taken for a failure",
            CALL_FIRST.of(Kinds.TRANSACT),
            new WorkflowRules() {
              @Override
              boolean settlesLostReplies() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo(TWICE);
  }

  @Test
  void stepsThatAreUndoneInTheOrderOfBeginning() {
    Counterexample<World> found =
        found(
            "undone in the order of beginning",
            TRANSACTION_FIRST.with(Ends.THROWS),
            new WorkflowRules() {
              @Override
              int nextUndo(List<Undo> all) {
                return 0;
              }
            });

    assertThat(found.property().name()).isEqualTo("undone in the reverse order of beginning");
  }

  @Test
  void aCallThatIsMadeWithoutALookAtTheLease() {
    Counterexample<World> found =
        found(
            "no look at the lease before a call",
            ONE_CALL,
            new WorkflowRules() {
              @Override
              boolean looksAtItsLease() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo(TWICE);
  }

  @Test
  void aDoubtThatOutlastsTheAttemptThatItWasOf() {
    Counterexample<World> found =
        found(
            "silence that counts from an attempt before the last",
            ONE_CALL,
            new WorkflowRules() {
              @Override
              boolean forgetsDoubtWithAnotherAttempt() {
                return false;
              }
            });

    assertThat(found.property().name()).isIn(TWICE, NOT_UNDONE);
  }

  @Test
  void aStepThatWasGivenUpAsUnknownAndIsNotUndone() {
    Counterexample<World> found =
        found(
            "the unknown is not undone when the function goes another way",
            ONE_CALL.with(CALL).with(KEEPING).catching(),
            new WorkflowRules() {
              @Override
              boolean undoesTheUnknown() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo("what has completed has every effect");
  }

  @Test
  void aLostCallThatIsTakenForOneThatNeverWas() {
    Counterexample<World> found =
        found(
            "a lost call is taken for a refusal",
            ONE_CALL,
            new WorkflowRules() {
              @Override
              Next decide(Policy policy, Event event, Situation now) {
                return super.decide(policy, event == Event.LOST ? Event.REFUSED : event, now);
              }
            });

    assertThat(found.property().name()).isEqualTo(NOT_UNDONE);
  }

  /**
   * A copy of an append whose reply was lost arrives when the same executor has claimed the run
   * again, and parks it under its hands. What it sends from then on may be committed in a turn of
   * its own that knows nothing of it. The engine did so once.
   */
  @Test
  void aParkThatArrivesInALaterTurnOfTheSameExecutorEndsThatTurn() {
    Counterexample<World> found =
        found(
            "a fence that does not tell an executor's turns apart",
            CALL_FIRST.of(Kinds.CALL, Kinds.TRANSACT).of(2, 1).parked(),
            new WorkflowRules() {
              @Override
              boolean fenceKnowsTheTurn() {
                return false;
              }
            });

    assertThat(found.property().name()).isEqualTo("no entry is left out");
    assertThat(found.report())
        .contains("PARK of executor 1 (nobody waits) (past the fence) is committed");
  }

  /** No mutant: what those who are called have to keep to, and the engine relies on. */
  @Test
  void aRequestThatIsUnderWayForLongerThanSettleAfterIsExecutedTwice() {
    Counterexample<World> found =
        found(
            "a request that is under way for longer than settleAfter",
            ONE_CALL.with(new Called(false, false, false, false)),
            WorkflowRules.STANDARD);

    assertThat(found.property().name()).isEqualTo(TWICE);
  }

  /** No mutant: without a lookup, the compensation may come before what it undoes. */
  @Test
  void aServiceThatForgetsWhatWasUndoneBeforeItCameKeepsTheEffect() {
    Counterexample<World> found =
        found(
            "a key that was undone before it was executed is executed",
            ONE_CALL.with(CALL).with(new Called(true, false, false, true)),
            WorkflowRules.STANDARD);

    assertThat(found.property().name()).isEqualTo(NOT_UNDONE);
  }
}
