package dev.holdfast.crashtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Quiescence.Settled;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is accused of missing had its time to come. */
final class SettledTest {
  private static final Finding TWICE = new Finding(Verdict.DUPLICATE, "there twice");
  private static final Finding MISSING = new Finding(Verdict.LOST, "missing");

  private static Settled after(boolean allTheTime) {
    return new Settled(List.of(), false, false, Duration.ZERO, allTheTime);
  }

  @Test
  void whatMayBeOnItsWayIsNotLostWhenSomethingElseEndedTheWait() {
    assertThat(after(false).justified(List.of(TWICE, MISSING))).containsExactly(TWICE);
  }

  @Test
  void whatDidNotComeInAllTheTimeIsLost() {
    assertThat(after(true).justified(List.of(TWICE, MISSING))).containsExactly(TWICE, MISSING);
  }

  @Test
  void whatIsFoundAloneIsFound() {
    assertThat(after(false).justified(List.of(MISSING))).containsExactly(MISSING);
  }
}
