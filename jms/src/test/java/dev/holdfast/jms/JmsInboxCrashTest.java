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
 * A listener is crashed at each of its commits, the database's and the broker's, or is not heard
 * there, and what its handler does in the database is counted.
 */
final class JmsInboxCrashTest {
  @BeforeAll
  static void prepare() {
    Lab.prepare();
  }

  @Test
  @Attacks({"listener.atomicity", "listener.once"})
  void whereverAListenerIsCrashedItsEffectHappensOnce() {
    ExplorationReport report =
        CrashLab.explore(
            "listen",
            CrashLab.Options.defaults().withCarriers(Carrier.FENCED, Carrier.LOST_ACK),
            new Lab.Listening());
    assertThat(report.points())
        .extracting(point -> point.role().resource())
        .as("the database's commit comes before the broker's")
        .containsSubsequence("database", "jms");
    assertThat(report.runs()).allMatch(RunReport::passed);
  }

  @Test
  @Tag("long")
  @Attacks({"listener.atomicity", "listener.once"})
  void whereverAProcessIsKilledItsEffectHappensOnce() {
    ExplorationReport report =
        CrashLab.explore(
            "listen in a process",
            CrashLab.Options.defaults().withCarriers(Carrier.FORKED),
            new Lab.Listening());
    assertThat(report.runs()).hasSizeGreaterThan(4).allMatch(RunReport::passed);
  }

  @Tag("long")
  @Test
  void aListenerThatAcknowledgesFirstLosesMessages() {
    assertThat(
            CrashLab.firstFailure(CrashLab.Options.defaults(), new Lab.AcknowledgingFirst())
                .findings())
        .extracting(Finding::verdict)
        .contains(Verdict.LOST);
  }

  @Test
  void aListenerWithoutAnInboxHandlesMessagesTwice() {
    assertThat(
            CrashLab.firstFailure(CrashLab.Options.defaults(), new Lab.WithoutAnInbox()).findings())
        .extracting(Finding::verdict)
        .contains(Verdict.DUPLICATE);
  }
}
