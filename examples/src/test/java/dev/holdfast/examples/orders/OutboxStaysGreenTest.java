package dev.holdfast.examples.orders;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ConsoleReport;
import dev.holdfast.crashtest.report.ExplorationReport;
import java.sql.SQLException;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;

/** The outbox is found right, and every run of it can be made, however often it is tried. */
@Tag("long")
final class OutboxStaysGreenTest {
  @RepeatedTest(20)
  void theOutboxIsGreenEveryTime() throws SQLException {
    ShopServers.LAB.createTable();
    ExplorationReport report =
        CrashLab.explore(
            "outbox",
            CrashLab.Options.defaults().withCarriers(Carrier.FENCED, Carrier.LOST_ACK),
            ShopServers.LAB.outbox());
    assertThat(report.passed()).as(ConsoleReport.render(report)).isTrue();
    assertThat(report.runs()).hasSizeGreaterThanOrEqualTo(11);
  }
}
