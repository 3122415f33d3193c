package dev.holdfast.crashtest.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.model.Counterexample;
import dev.holdfast.crashtest.model.Exploration;
import dev.holdfast.crashtest.model.Model;
import dev.holdfast.crashtest.model.ModelChecker;
import dev.holdfast.crashtest.model.Property;
import dev.holdfast.crashtest.model.Step;
import dev.holdfast.crashtest.twophase.ClaimModel.Scope;
import dev.holdfast.crashtest.twophase.ClaimWorld.Claimed;
import dev.holdfast.crashtest.twophase.ClaimWorld.Harm;
import dev.holdfast.internal.twophase.ClaimProtocol.Verdict;
import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.DecisionStore.Registration;
import dev.holdfast.twophase.store.Server;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every order in which an original and its copies can look at a claim, take it and object. The
 * original is stopped and started at any step, and processes die between proposing, claiming and
 * confirming.
 */
final class ClaimModelTest {
  private static final Logger log = LoggerFactory.getLogger(ClaimModelTest.class);

  /** A copy that is restarted while its claim settles. */
  private static final Scope RESTARTED = new Scope(1, false, false, true, 4, 4);

  /** A copy that is made while the original has a proposal open. */
  private static final Scope PROPOSING = new Scope(1, false, true, false, 4, 3);

  private static final Scope COPY_OF_COPY = new Scope(2, true, false, false, 3, 3);

  /** What would do without the gaps that are shown below. */
  private static final ClaimRules MENDED =
      new ClaimRules() {
        @Override
        Verdict judge(Registration ours, Claim claim, Server us) {
          Verdict verdict = super.judge(ours, claim, us);
          return verdict == Verdict.RENEW && !claim.isSettled() ? Verdict.SETTLING : verdict;
        }

        @Override
        boolean takesUpProposal(int by, int us) {
          return by == us;
        }

        @Override
        boolean confirmsFirst() {
          return true;
        }
      };

  private static Exploration<ClaimWorld> explore(String name, Model<ClaimWorld> model) {
    Exploration<ClaimWorld> explored = ModelChecker.bounded(300_000).explore(model);
    log.info("claims, {}: {}", name, explored.report());
    return explored;
  }

  private static Counterexample<ClaimWorld> found(String name, Model<ClaimWorld> model) {
    Exploration<ClaimWorld> explored = explore(name, model);
    assertThat(explored.counterexample()).as("Nothing is found: " + name).isPresent();
    return explored.counterexample().get();
  }

  static List<Arguments> worlds() {
    return List.of(
        Arguments.of("one copy", new Scope(1, false, false, false, 5, 4), ClaimRules.STANDARD),
        Arguments.of("two copies", new Scope(2, false, false, false, 3, 3), ClaimRules.STANDARD),
        Arguments.of("mended, a copy that is restarted", RESTARTED, MENDED),
        Arguments.of("mended, a copy made while proposing", PROPOSING, MENDED),
        Arguments.of("mended, a copy of a copy", COPY_OF_COPY, MENDED));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("worlds")
  void theClaimsHold(String name, Scope scope, ClaimRules rules) {
    Exploration<ClaimWorld> explored = explore(name, new ClaimModel(scope, rules));

    assertThat(explored.counterexample()).as(explored.report()).isEmpty();
  }

  @Test
  void aClaimThatSettlesAtOnceIsFound() {
    Counterexample<ClaimWorld> found =
        found(
            "mutant, without settling",
            new ClaimModel(
                new Scope(1, false, false, false, 3, 3),
                new ClaimRules() {
                  @Override
                  Claimed take(Verdict verdict, Claimed theirs, int token, int started) {
                    Claimed claimed = super.take(verdict, theirs, token, started);
                    return new Claimed(
                        token,
                        claimed.previous(),
                        claimed.previousHolder(),
                        claimed.holder(),
                        true);
                  }
                }));

    assertThat(found.report())
        .contains("copy 1: claims: token 2 of start 2, replaces 1 of start 1");
    assertThat(
            found(
                    "mutant, without settling, and nobody is locked out",
                    new WithoutLockOut(
                        new ClaimModel(
                            new Scope(1, false, false, false, 3, 3),
                            new ClaimRules() {
                              @Override
                              Claimed take(
                                  Verdict verdict, Claimed theirs, int token, int started) {
                                return new Claimed(token, 0, 0, started, true);
                              }
                            })))
                .property()
                .name())
        .isIn(
            "never two that may abort",
            "a copy never aborts while an operation of the original can commit");
  }

  @Test
  void aCopyThatMayAbortWithoutHavingTheClaimIsFound() {
    Counterexample<ClaimWorld> found =
        found(
            "mutant, whoever knows the token may abort",
            new ClaimModel(
                new Scope(1, false, false, false, 3, 3),
                new ClaimRules() {
                  @Override
                  Verdict judge(Registration ours, Claim claim, Server us) {
                    return super.judge(ours, claim, us) == Verdict.RENEW
                        ? Verdict.HELD
                        : super.judge(ours, claim, us);
                  }
                }));

    assertThat(found.property().name())
        .isIn(
            "never two that may abort",
            "a copy never aborts while an operation of the original can commit");
  }

  /**
   * A gap of the protocol as it is: the second claim names the first one's holder as the one who
   * may object, and the original is forgotten. Once that is mended this world belongs to {@link
   * #worlds}.
   */
  @Test
  void aCopyThatIsRestartedWhileItsClaimSettlesLocksTheOriginalOut() {
    Counterexample<ClaimWorld> found =
        found("a copy that is restarted", new ClaimModel(RESTARTED, ClaimRules.STANDARD));

    assertThat(found.property().name()).isEqualTo("an original that runs on is not locked out");
  }

  /** The same, with a copy of the copy in the place of the restart. */
  @Test
  void aCopyOfACopyThatSettlesLocksTheOriginalOut() {
    Counterexample<ClaimWorld> found =
        found("a copy of a copy", new ClaimModel(COPY_OF_COPY, ClaimRules.STANDARD));

    assertThat(found.property().name()).isEqualTo("an original that runs on is not locked out");
  }

  /**
   * Another gap: the copy has the original's proposal, and claims under the same token; when the
   * original takes that for its own and renews it, the copy objects, and is believed at once.
   */
  @Test
  void aCopyMadeWhileTheOriginalProposesAbortsWhatTheOriginalCanCommit() {
    Counterexample<ClaimWorld> found =
        found(
            "a copy made while proposing",
            new WithoutLockOut(new ClaimModel(PROPOSING, ClaimRules.STANDARD)));

    assertThat(found.property().name())
        .isEqualTo("a copy never aborts while an operation of the original can commit");
  }

  /** Goes on where the original is locked out, and looks for worse. */
  private record WithoutLockOut(ClaimModel model) implements Model<ClaimWorld> {
    @Override
    public List<ClaimWorld> initial() {
      return model.initial();
    }

    @Override
    public List<Step<ClaimWorld>> steps(ClaimWorld from) {
      boolean goesOn = from.harm() == Harm.ORIGINAL_LOCKED_OUT;
      return model.steps(goesOn ? from.with(Harm.NONE) : from);
    }

    @Override
    public List<Property<ClaimWorld>> properties() {
      return model.properties().stream()
          .filter(property -> !property.name().contains("locked out"))
          .toList();
    }
  }
}
