package dev.holdfast.jms;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A listener that parks is crashed at each of its commits, those of parking, of acknowledging and
 * of the replay, or is not heard there.
 */
final class JmsParkingCrashTest {
  @BeforeAll
  static void prepare() {
    Lab.prepare();
  }

  @Test
  @Attacks({"listener.parked", "listener.once"})
  void whereverAListenerThatParksIsCrashedBothMessagesHaveTheirEffectOnceAndInOrder() {
    ExplorationReport report =
        CrashLab.explore("park", CrashLab.Options.defaults(), new ParkingLab.Parking());
    assertThat(report.points())
        .extracting(point -> point.role().resource())
        .as("parked, acknowledged, parked, acknowledged, replayed, replayed, ended")
        .containsSubsequence("database", "jms", "database", "jms", "database", "database");
    assertThat(report.runs()).allMatch(RunReport::passed);
  }

  @Test
  @Tag("long")
  @Attacks({"listener.parked", "listener.once"})
  void whateverAnswerIsLostAndWhereverAProcessIsKilledItIsTheSame() {
    ExplorationReport report =
        CrashLab.explore(
            "park in a process",
            CrashLab.Options.defaults().withCarriers(Carrier.LOST_ACK, Carrier.FORKED),
            new ParkingLab.Parking());
    assertThat(report.runs()).hasSizeGreaterThan(8).allMatch(RunReport::passed);
  }

  @Test
  void aListenerThatAcknowledgesBeforeItParksLosesMessages() {
    assertThat(
            CrashLab.firstFailure(CrashLab.Options.defaults(), new ParkingLab.AcknowledgingFirst())
                .findings())
        .extracting(Finding::verdict)
        .contains(Verdict.LOST);
  }

  @Test
  void aReplayThatRemovesInAnotherCommitHandlesMessagesTwice() {
    assertThat(
            CrashLab.firstFailure(CrashLab.Options.defaults(), new ParkingLab.RemovingLater())
                .findings())
        .extracting(Finding::verdict)
        .contains(Verdict.DUPLICATE);
  }
}
