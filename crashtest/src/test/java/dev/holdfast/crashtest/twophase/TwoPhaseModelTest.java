package dev.holdfast.crashtest.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.model.Exploration;
import dev.holdfast.crashtest.model.ModelChecker;
import dev.holdfast.crashtest.twophase.TwoPhaseModel.Scope;
import dev.holdfast.internal.twophase.OwnerProtocol;
import dev.holdfast.twophase.store.Heuristic;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every order in which owners, recoverers, cleaners, databases and faults can take their turns, in
 * worlds that are small in different directions. In all of them owners and recoverers crash at any
 * step, replies are lost, databases restart, a PREPARE or a COMMIT arrives late.
 */
final class TwoPhaseModelTest {
  private static final Logger log = LoggerFactory.getLogger(TwoPhaseModelTest.class);
  private static final List<Integer> FIRST = List.of(0);
  private static final List<Integer> BOTH = List.of(0, 1);

  static List<Arguments> worlds() {
    return List.of(
        Arguments.of("three recoverers", new Scope(2, List.of(BOTH), 3, 0, 0, 0)),
        Arguments.of("two recoverers and a cleaner", new Scope(2, List.of(BOTH), 2, 1, 0, 0)),
        Arguments.of("two cleaners", new Scope(2, List.of(BOTH), 1, 2, 0, 0)),
        Arguments.of("a failover that loses a commit", new Scope(2, List.of(BOTH), 1, 1, 1, 0)),
        Arguments.of(
            "a failover and two cleaners of one participant",
            new Scope(1, List.of(FIRST), 1, 2, 1, 0)),
        Arguments.of("a branch ended by hand", new Scope(2, List.of(BOTH), 1, 1, 0, 1)),
        Arguments.of(
            "a second operation, with a later serial or the same again",
            new Scope(1, List.of(FIRST, FIRST), 1, 1, 0, 0)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("worlds")
  void theProtocolHolds(String name, Scope scope) {
    TwoPhaseModel model = new TwoPhaseModel(scope, Rules.STANDARD);

    Exploration<World> explored = ModelChecker.bounded(400_000).explore(model);

    log.info("two-phase commit, {}: {}", name, explored.report());
    assertThat(explored.counterexample()).as(explored.report()).isEmpty();
  }

  @Test
  void everyRowOfTheOwnersTableIsGoneThrough() {
    TwoPhaseModel model =
        new TwoPhaseModel(new Scope(2, List.of(BOTH), 1, 0, 0, 0), Rules.STANDARD);

    ModelChecker.bounded(10_000).explore(model);

    assertThat(model.visited()).isEqualTo(Set.copyOf(OwnerProtocol.STANDARD.table()));
  }

  /**
   * A branch whose commit a failover has lost when its decision was forgotten is reported as too
   * old, and waits for a person. What is later is forgotten all the same.
   */
  @Test
  void whatIsLaterIsForgottenThoughABranchIsTooOld() {
    TwoPhaseModel model =
        new TwoPhaseModel(new Scope(1, List.of(FIRST, FIRST), 1, 1, 0, 0), Rules.STANDARD);
    World start = model.start();
    Branch tooOld = Branch.WORKING.commit().lose().record(Heuristic.Kind.TOO_OLD);
    Op first =
        start.op(0).begin(1, List.of(tooOld)).write().commit().delete().with(Owner.WORKING.crash());

    Exploration<World> explored =
        ModelChecker.bounded(50_000).explore(model.from(start.with(0, first).clean(0, 1)));

    log.info("two-phase commit, a branch that is too old: {}", explored.report());
    assertThat(explored.counterexample()).isEmpty();
  }
}
