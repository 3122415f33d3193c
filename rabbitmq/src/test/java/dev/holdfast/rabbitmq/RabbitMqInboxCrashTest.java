package dev.holdfast.rabbitmq;

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
 * A listener is crashed before and after its commit, and before its acknowledgment, or is not
 * heard, and what its handler does in the database is counted.
 */
@Tag("rabbitmq")
final class RabbitMqInboxCrashTest {
  @BeforeAll
  static void prepare() {
    Lab.prepare();
  }

  @Test
  @Attacks({"listener.atomicity", "listener.once"})
  void whereverAListenerIsCrashedItsEffectHappensOnce() {
    assertHeld(Carrier.FENCED, Carrier.LOST_ACK);
  }

  @Test
  @Attacks({"listener.atomicity", "listener.once"})
  void whereverAProcessIsKilledItsEffectHappensOnce() {
    assertHeld(Carrier.FORKED);
  }

  private static void assertHeld(Carrier first, Carrier... others) {
    ExplorationReport report =
        CrashLab.explore(
            "listen", CrashLab.Options.defaults().withCarriers(first, others), new Lab.Listening());
    assertThat(report.points()).extracting(point -> point.role().resource()).contains("database");
    assertThat(report.runs()).hasSizeGreaterThan(3).allMatch(RunReport::passed);
  }

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
