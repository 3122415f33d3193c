package dev.holdfast.crashtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.boundary.Outcome;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is wrong with what is there, given what the caller was told. */
final class OracleTest {
  private static final Outcome DONE = new Outcome.Committed();
  private static final Outcome REFUSED = new Outcome.Rejected("no");
  private static final Outcome UNKNOWN = new Outcome.Unknown("who knows");

  private static final Expectation.Probe NOTHING = (truths, key) -> List.of();
  private static final Expectation ROW = Expectation.times("row", "orders", NOTHING, 1);
  private static final Expectation RECORD = Expectation.times("record", "events", NOTHING, 1);

  static Stream<Arguments> cases() {
    return Stream.of(
        Arguments.of(DONE, 1, 1, List.of()),
        Arguments.of(DONE, 1, 0, List.of(Verdict.LOST)),
        Arguments.of(DONE, 0, 1, List.of(Verdict.PHANTOM)),
        Arguments.of(DONE, 0, 0, List.of(Verdict.MISREPORTED)),
        Arguments.of(DONE, 1, 2, List.of(Verdict.DUPLICATE)),
        Arguments.of(DONE, 2, 0, List.of(Verdict.DUPLICATE, Verdict.LOST)),
        Arguments.of(REFUSED, 0, 0, List.of()),
        Arguments.of(REFUSED, 1, 1, List.of(Verdict.MISREPORTED)),
        Arguments.of(REFUSED, 1, 0, List.of(Verdict.MISREPORTED, Verdict.LOST)),
        Arguments.of(REFUSED, 0, 1, List.of(Verdict.MISREPORTED, Verdict.PHANTOM)),
        Arguments.of(UNKNOWN, 0, 0, List.of()),
        Arguments.of(UNKNOWN, 1, 1, List.of()),
        Arguments.of(UNKNOWN, 1, 0, List.of(Verdict.LOST)),
        Arguments.of(UNKNOWN, 0, 1, List.of(Verdict.PHANTOM)),
        Arguments.of(UNKNOWN, 2, 2, List.of(Verdict.DUPLICATE, Verdict.DUPLICATE)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void judges(Outcome told, int rows, int records, List<Verdict> verdicts) {
    Oracle oracle = new Oracle(List.of(ROW, RECORD), List.of());
    List<Seen> seen = List.of(seen(rows, 0), seen(records, 0));
    assertThat(oracle.judge(told, seen)).extracting(Finding::verdict).isEqualTo(verdicts);
    assertThat(oracle.isAcceptable(told, seen)).isEqualTo(verdicts.isEmpty());
  }

  @Test
  void theSameEffectsInAnotherOrderAreReordered() {
    Expectation steps = Expectation.inOrder("record", null, NOTHING, List.of("placed", "paid"));
    Oracle oracle = new Oracle(List.of(steps), List.of());
    assertThat(oracle.judge(DONE, List.of(new Seen(List.of("placed", "paid"), 0)))).isEmpty();
    assertThat(oracle.judge(DONE, List.of(new Seen(List.of("paid", "placed"), 0))))
        .extracting(Finding::verdict)
        .containsExactly(Verdict.REORDERED);
    assertThat(oracle.judge(DONE, List.of(new Seen(List.of("placed"), 0))))
        .extracting(Finding::verdict)
        .containsExactly(Verdict.LOST);
  }

  @Test
  void whatIsMadeUpForIsAsGoodAsNothing() {
    Expectation charge = ROW.compensatedBy(RECORD);
    Oracle oracle = new Oracle(List.of(charge), List.of());
    assertThat(oracle.judge(REFUSED, List.of(seen(1, 1)))).isEmpty();
    assertThat(oracle.judge(REFUSED, List.of(seen(2, 2)))).isEmpty();
    assertThat(oracle.judge(REFUSED, List.of(seen(1, 0)))).isNotEmpty();
    assertThat(oracle.judge(DONE, List.of(seen(1, 1))))
        .extracting(Finding::verdict)
        .containsExactly(Verdict.MISREPORTED);
    // Somebody may still make up for it, so it is worth waiting.
    assertThat(oracle.isBeyondRepair(List.of(seen(2, 0)))).isFalse();
    assertThat(new Oracle(List.of(ROW), List.of()).isBeyondRepair(List.of(seen(2, 0)))).isTrue();
  }

  @Test
  void aDrillThatMayRepeatExcusesRepeatsAndNothingElse() {
    Expectation steps = Expectation.inOrder("record", null, NOTHING, List.of("a", "b"));
    Oracle oracle =
        new Oracle(List.of(ROW, steps), List.of())
            .after(Drill.of("d", () -> {}).repeating(), List.of(seen(1, 0), seen(0, 0)));
    Map<List<String>, List<Verdict>> verdicts =
        Map.of(
            List.of("a", "b"), List.of(),
            List.of("a", "a", "b", "a"), List.of(),
            List.of("b", "a", "b"), List.of(Verdict.REORDERED),
            List.of("a", "a", "a"), List.of(Verdict.LOST),
            List.of("a", "b", "x"), List.of(Verdict.DUPLICATE),
            List.of("a"), List.of(Verdict.LOST));
    verdicts.forEach(
        (values, expected) ->
            assertThat(oracle.judge(DONE, List.of(seen(1, 0), new Seen(values, 0))))
                .as("%s", values)
                .extracting(Finding::verdict)
                .isEqualTo(expected));
  }

  @Test
  void aDrillThatMayLoseExcusesWhatWasThereAlone() {
    Drill drill = Drill.of("d", () -> {}).losing();
    Oracle plain = new Oracle(List.of(ROW, RECORD), List.of());
    List<Seen> phantom = List.of(seen(0, 0), seen(1, 0));
    assertThat(plain.after(drill, List.of(seen(1, 0), seen(1, 0))).judge(UNKNOWN, phantom))
        .isEmpty();
    assertThat(plain.after(drill, phantom).judge(UNKNOWN, phantom))
        .extracting(Finding::verdict)
        .containsExactly(Verdict.PHANTOM);
  }

  private static Seen seen(int count, int compensated) {
    return new Seen(Collections.nCopies(count, "x"), compensated);
  }
}
