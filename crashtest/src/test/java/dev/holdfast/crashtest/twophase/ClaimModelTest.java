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
        Arguments.of("one copy", new Scope(1, false, true, false, 5, 4)),
        Arguments.of("two copies", new Scope(2, false, true, false, 3, 3)),
        Arguments.of("a copy of a copy", COPY_OF_COPY),
        Arguments.of("a copy that is restarted", RESTARTED));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("worlds")
  void theClaimsHold(String name, Scope scope) {
    Exploration<ClaimWorld> explored = explore(name, new ClaimModel(scope, ClaimRules.STANDARD));

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

  /** The second claim would name the first one's holder as the one who may object. */
  @Test
  void aClaimThatIsRenewedBeforeItHasSettledIsFound() {
    ClaimRules eager =
        new ClaimRules() {
          @Override
          Verdict judge(Registration ours, Claim claim, Server us) {
            Verdict verdict = super.judge(ours, claim, us);
            return verdict == Verdict.SETTLING && !claim.holder().isSameServer(us)
                ? Verdict.RENEW
                : verdict;
          }
        };

    for (Scope scope : List.of(RESTARTED, COPY_OF_COPY)) {
      assertThat(
              found("mutant, renewed before it has settled", new ClaimModel(scope, eager))
                  .property()
                  .name())
          .isEqualTo("an original that runs on is not locked out");
    }
  }

  /** Original and copy would claim under one token, and take each other for themselves. */
  @Test
  void aProposalThatACopyTakesUpIsFound() {
    Counterexample<ClaimWorld> found =
        found(
            "mutant, takes up the proposal of another server",
            new WithoutLockOut(
                new ClaimModel(
                    PROPOSING,
                    new ClaimRules() {
                      @Override
                      boolean takesUpProposal(int by, int us) {
                        return true;
                      }
                    })));

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
