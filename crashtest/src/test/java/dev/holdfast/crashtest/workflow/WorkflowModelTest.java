package dev.holdfast.crashtest.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.model.Exploration;
import dev.holdfast.crashtest.model.ModelChecker;
import dev.holdfast.crashtest.workflow.WorkflowModel.Called;
import dev.holdfast.crashtest.workflow.WorkflowModel.Ends;
import dev.holdfast.crashtest.workflow.WorkflowModel.Kinds;
import dev.holdfast.crashtest.workflow.WorkflowModel.Scope;
import dev.holdfast.internal.workflow.Policy;
import dev.holdfast.workflow.Retry;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every order in which processes, the database, a service and faults can take their turns in one
 * run, in worlds that are small in different directions. In all of them processes crash at any
 * step, are paused for longer than their lease and wake up beside their successors, replies are
 * lost, and calls arrive behind those who have given them up.
 */
final class WorkflowModelTest {
  private static final Logger log = LoggerFactory.getLogger(WorkflowModelTest.class);

  static final Policy CALL = Policy.OF_A_CALL.withRetry(Retry.times(2)).withCompensation();
  static final Policy LOOKED_UP = CALL.withSettleAfter(Duration.ofMinutes(1));
  static final Policy KEYED = CALL.withKeyKeptFor(Duration.ofDays(1));

  private static final Policy BOTH = LOOKED_UP.withKeyKeptFor(Duration.ofDays(1));

  /** A service without keys, which can be asked. */
  static final Called ASKED = new Called(false, false, false, true);

  static final Called ASKED_REFUSING = new Called(false, false, true, true);

  /** A service that keeps keys, also of what was undone before it came. */
  static final Called KEEPING = new Called(true, true, false, true);

  static final Scope CALL_FIRST =
      new Scope(
          List.of(Kinds.CALL, Kinds.TRANSACT),
          LOOKED_UP,
          Ends.RETURNS,
          false,
          false,
          false,
          2,
          0,
          ASKED);

  /** The other way round: what is in doubt is begun last. */
  static final Scope TRANSACTION_FIRST = CALL_FIRST.of(Kinds.TRANSACT, Kinds.CALL);

  private static final Scope ONE_CALL = CALL_FIRST.of(Kinds.CALL);

  static List<Arguments> worlds() {
    return List.of(
        Arguments.of("a call and a transaction, undone", CALL_FIRST.with(Ends.THROWS)),
        Arguments.of("waits as rows", TRANSACTION_FIRST.parked()),
        Arguments.of("appends that arrive late", CALL_FIRST.of(2, 1)),
        Arguments.of("a service that refuses", TRANSACTION_FIRST.with(ASKED_REFUSING)),
        Arguments.of(
            "a service that keeps keys, undone",
            ONE_CALL.with(KEYED).with(KEEPING).with(Ends.THROWS)),
        Arguments.of(
            "a compensation and nothing else", ONE_CALL.cancelled().with(CALL).with(KEEPING)),
        Arguments.of(
            "a function that goes another way", CALL_FIRST.with(CALL).with(KEEPING).catching()),
        Arguments.of(
            "what is in doubt is a person's", CALL_FIRST.with(CALL.withParking()).with(KEEPING)));
  }

  static List<Arguments> largerWorlds() {
    return List.of(
        Arguments.of("a transaction and a call, undone", TRANSACTION_FIRST.with(Ends.THROWS)),
        Arguments.of("a cancellation", ONE_CALL.cancelled().with(LOOKED_UP.withRetry(Retry.NONE))),
        Arguments.of(
            "one that can be asked as well, undone",
            ONE_CALL.with(BOTH).with(KEEPING).with(Ends.THROWS)),
        Arguments.of("a call, cancelled", ONE_CALL.cancelled()),
        Arguments.of("a call and a transaction", CALL_FIRST.cancelled()),
        Arguments.of("a transaction and a call", TRANSACTION_FIRST.cancelled()),
        Arguments.of("appends that arrive late, undone", CALL_FIRST.of(2, 1).with(Ends.THROWS)),
        Arguments.of("three executors", CALL_FIRST.of(3, 0)),
        Arguments.of(
            "a service that keeps keys", TRANSACTION_FIRST.with(KEYED).with(KEEPING).cancelled()),
        Arguments.of(
            "one that can be asked as well",
            TRANSACTION_FIRST.with(BOTH).with(KEEPING).cancelled()),
        Arguments.of(
            "a compensation and nothing else",
            TRANSACTION_FIRST.with(CALL).with(KEEPING).cancelled()),
        Arguments.of(
            "two calls, undone",
            CALL_FIRST
                .of(Kinds.CALL, Kinds.CALL)
                .with(LOOKED_UP.withRetry(Retry.NONE))
                .with(Ends.THROWS)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("worlds")
  void aRunKeepsItsPromises(String name, Scope scope) {
    holds(name, scope, 400_000);
  }

  @Tag("long")
  @ParameterizedTest(name = "{0}")
  @MethodSource("largerWorlds")
  void aRunKeepsItsPromisesInLargerWorlds(String name, Scope scope) {
    holds(name, scope, 3_000_000);
  }

  @Tag("long")
  @Test
  void appendsThatArriveLateDoNoHarmToARunThatWaitsAsRows() {
    holds("appends that arrive late, and waits as rows", CALL_FIRST.of(2, 1).parked(), 3_000_000);
  }

  private static void holds(String name, Scope scope, int states) {
    WorkflowModel model = new WorkflowModel(scope, WorkflowRules.STANDARD);

    Exploration<World> explored = ModelChecker.bounded(states).explore(model);

    log.info("workflow, {}: {}", name, explored.report());
    assertThat(explored.counterexample()).as(explored.report()).isEmpty();
  }
}
