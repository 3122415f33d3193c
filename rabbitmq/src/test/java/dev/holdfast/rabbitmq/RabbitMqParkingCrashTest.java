package dev.holdfast.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.RunReport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A listener that parks is crashed at each of its commits, of parking and of the replay, and is not
 * heard there. The negative controls are those of the listener of JMS, whose loop it shares.
 */
@Tag("rabbitmq")
final class RabbitMqParkingCrashTest {
  @BeforeAll
  static void prepare() {
    Lab.prepare();
  }

  @Test
  @Attacks({"listener.parked", "listener.once"})
  void whereverAListenerThatParksIsCrashedBothMessagesHaveTheirEffectOnceAndInOrder() {
    assertHeld(Carrier.FENCED, Carrier.LOST_ACK);
  }

  @Test
  @Attacks({"listener.parked", "listener.once"})
  void whereverAProcessThatParksIsKilledItIsTheSame() {
    assertHeld(Carrier.FORKED);
  }

  private static void assertHeld(Carrier first, Carrier... others) {
    ExplorationReport report =
        CrashLab.explore(
            "park", CrashLab.Options.defaults().withCarriers(first, others), new ParkingLab());
    assertThat(report.points())
        .extracting(point -> point.role().resource())
        .as("parked twice, replayed twice, ended")
        .hasSizeGreaterThanOrEqualTo(5);
    assertThat(report.runs()).hasSizeGreaterThan(5).allMatch(RunReport::passed);
  }
}
