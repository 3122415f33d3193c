package dev.holdfast.crashtest.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ModelCheckerTest {

  /** Jugs of three and five litres: four litres can be had, in six steps and not in fewer. */
  private record Jugs(int three, int five) {}

  private static final class JugsModel implements Model<Jugs> {
    private final List<Property<Jugs>> properties;

    JugsModel(List<Property<Jugs>> properties) {
      this.properties = properties;
    }

    @Override
    public List<Jugs> initial() {
      return List.of(new Jugs(0, 0));
    }

    @Override
    public List<Step<Jugs>> steps(Jugs from) {
      int toFive = Math.min(from.three(), 5 - from.five());
      int toThree = Math.min(from.five(), 3 - from.three());
      return List.of(
          Step.progress("fill three", new Jugs(3, from.five())),
          Step.progress("fill five", new Jugs(from.three(), 5)),
          Step.progress("empty three", new Jugs(0, from.five())),
          Step.progress("empty five", new Jugs(from.three(), 0)),
          Step.progress("three into five", new Jugs(from.three() - toFive, from.five() + toFive)),
          Step.progress(
              "five into three", new Jugs(from.three() + toThree, from.five() - toThree)));
    }

    @Override
    public List<Property<Jugs>> properties() {
      return properties;
    }
  }

  /** Counts to a limit; beyond {@code edge} only a fault leads. */
  private record Counter(int limit, int edge, List<Property<Integer>> properties)
      implements Model<Integer> {
    @Override
    public List<Integer> initial() {
      return List.of(0);
    }

    @Override
    public List<Step<Integer>> steps(Integer from) {
      List<Step<Integer>> steps = new ArrayList<>();
      steps.add(Step.progress("wait", from));
      if (from < limit) {
        steps.add(
            from == edge ? Step.fault("stumble", from + 1) : Step.progress("count", from + 1));
      }
      return steps;
    }
  }

  @Test
  void everyStateIsVisitedOnceAndTheDepthIsThatOfTheFarthest() {
    Exploration<Jugs> explored = ModelChecker.bounded(100).explore(new JugsModel(List.of()));

    assertThat(explored.states()).isEqualTo(16);
    assertThat(explored.steps()).isEqualTo(16 * 6);
    assertThat(explored.depth()).isEqualTo(7);
    assertThat(explored.counterexample()).isEmpty();
    assertThat(explored.report()).isEqualTo("16 states, 96 steps, depth 7: holds");
  }

  @Test
  void aViolatedInvariantIsShownByAShortestTraceThatAPersonCanRead() {
    Exploration<Jugs> explored =
        ModelChecker.bounded(100)
            .explore(
                new JugsModel(List.of(Property.always("no four litres", at -> at.five() != 4))));

    assertThat(explored.counterexample()).isPresent();
    Counterexample<Jugs> found = explored.counterexample().get();
    assertThat(found.trace())
        .extracting(Step::label)
        .containsExactly(
            "fill five",
            "five into three",
            "empty three",
            "five into three",
            "fill five",
            "five into three");
    assertThat(found.last()).isEqualTo(new Jugs(3, 4));
    assertThat(found.report().lines())
        .containsExactly(
            "no four litres: does not hold after these steps",
            "      at first: Jugs[three=0, five=0]",
            "   1   fill five",
            "   2   five into three",
            "   3   empty three",
            "   4   five into three",
            "   5   fill five",
            "   6   five into three",
            "      then: Jugs[three=3, five=4]");
  }

  @Test
  void anInitialStateCanViolateAnInvariantWithoutAnyStep() {
    Exploration<Integer> explored =
        ModelChecker.bounded(10)
            .explore(new Counter(3, 9, List.of(Property.always("counted", at -> at > 0))));

    assertThat(explored.counterexample()).get().extracting(Counterexample::last).isEqualTo(0);
    assertThat(explored.counterexample().get().trace()).isEmpty();
  }

  @Test
  void aStateFromWhichNothingButStutteringIsLeftIsAtRest() {
    Counter counter =
        new Counter(3, 9, List.of(Property.atRest("has counted to four", at -> at == 4)));

    Exploration<Integer> explored = ModelChecker.bounded(10).explore(counter);

    assertThat(explored.counterexample()).get().extracting(Counterexample::last).isEqualTo(3);
    assertThat(
            ModelChecker.bounded(10)
                .explore(
                    new Counter(
                        4, 9, List.of(Property.atRest("has counted to four", at -> at == 4))))
                .counterexample())
        .isEmpty();
  }

  @Test
  void whatOnlyAFaultLeadsToIsNotReachable() {
    Property<Integer> end = Property.staysReachable("the end", at -> at == 3);

    Exploration<Integer> stuck = ModelChecker.bounded(10).explore(new Counter(3, 1, List.of(end)));
    Exploration<Integer> free = ModelChecker.bounded(10).explore(new Counter(3, 9, List.of(end)));

    assertThat(free.counterexample()).isEmpty();
    assertThat(stuck.counterexample()).get().extracting(Counterexample::last).isEqualTo(0);
    assertThat(stuck.report())
        .contains("the end: cannot be reached any more after these steps, unless by a fault");
  }

  @Test
  void everyPropertyOfSeveralIsChecked() {
    Exploration<Integer> explored =
        ModelChecker.bounded(10)
            .explore(
                new Counter(
                    3,
                    1,
                    List.of(
                        Property.staysReachable("the edge or what is behind", at -> at >= 1),
                        Property.staysReachable("the end", at -> at == 3))));

    assertThat(explored.counterexample())
        .get()
        .extracting(found -> found.property().name())
        .isEqualTo("the end");
  }

  @Test
  void aModelThatIsLargerThanAllowedFailsAndSaysSo() {
    assertThatThrownBy(() -> ModelChecker.bounded(15).explore(new JugsModel(List.of())))
        .isInstanceOf(ModelTooLarge.class)
        .hasMessageContaining("more than 15 states")
        .hasMessageContaining("raise the bound");
    assertThat(ModelChecker.bounded(16).explore(new JugsModel(List.of())).states()).isEqualTo(16);
  }

  @Test
  void aModelWithMoreStepsThanAllowedFailsAndSaysSo() {
    Model<Integer> dense =
        new Model<>() {
          @Override
          public List<Integer> initial() {
            return List.of(0);
          }

          @Override
          public List<Step<Integer>> steps(Integer from) {
            List<Step<Integer>> steps = new ArrayList<>();
            for (int to = 0; to < 100; to++) {
              steps.add(Step.progress("jump", to));
            }
            return steps;
          }

          @Override
          public List<Property<Integer>> properties() {
            return List.of(Property.staysReachable("home", at -> at == 0));
          }
        };

    assertThatThrownBy(() -> ModelChecker.bounded(100).explore(dense))
        .isInstanceOf(ModelTooLarge.class)
        .hasMessageContaining("more than 5,000 steps");
    assertThat(ModelChecker.bounded(200).explore(dense).steps()).isEqualTo(100 * 100);
  }

  @Test
  void aBoundThatCannotBeKeptAndAModelWithoutStatesAreRefused() {
    assertThatThrownBy(() -> ModelChecker.bounded(0)).isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> ModelChecker.bounded(10_000_001))
        .isInstanceOf(InvalidConfiguration.class);
    Model<Integer> none =
        new Model<>() {
          @Override
          public List<Integer> initial() {
            return List.of();
          }

          @Override
          public List<Step<Integer>> steps(Integer from) {
            return List.of();
          }

          @Override
          public List<Property<Integer>> properties() {
            return List.of();
          }
        };
    assertThatThrownBy(() -> ModelChecker.bounded(1).explore(none))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("no initial state");
  }
}
