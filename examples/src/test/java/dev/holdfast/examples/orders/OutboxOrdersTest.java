package dev.holdfast.examples.orders;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.kafka.KafkaTarget;
import java.sql.SQLException;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** With the outbox no crash and no lost answer separates order and message. */
final class OutboxOrdersTest {
  @BeforeAll
  static void table() throws SQLException {
    ShopServers.LAB.createTable();
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  void everyOrderIsAnnounced(CrashLab lab) {
    ShopServers.LAB.outbox(lab);
  }

  /** The control: what makes the repeat invisible is the progress in the messages' transaction. */
  @Tag("long")
  @Test
  void withoutKafkaTransactionsACrashedRelayRepeatsItself() {
    ExplorationReport report =
        CrashLab.explore(
            "outbox in plain mode",
            CrashLab.Options.defaults(),
            lab -> ShopServers.LAB.outbox(lab, KafkaTarget::plain));

    assertThat(report.points())
        .extracting(point -> point.role().toString())
        .anySatisfy(role -> assertThat(role).startsWith("shop: commit (insert into orders"))
        .contains("kafka: deliver (orders.placed) on holdfast-relay-orders")
        .anySatisfy(role -> assertThat(role).startsWith("shop: commit (update holdfast.progress"));
    // What Holdfast commits in the service's name is the service's line; the relay's is Holdfast's.
    assertThat(report.points())
        .extracting(point -> point.site().toString().replaceAll(":\\d+", ""))
        .anyMatch("OutboxOrders.place(OutboxOrders.java)"::equals)
        .anyMatch("Term.deliver(Term.java)"::equals);
    RunReport repeated =
        report.runs().stream()
            .filter(run -> !run.isGolden() && run.faults().get(0).stage() == Stage.ACK_LOST)
            .filter(run -> point(run).startsWith("kafka: deliver"))
            .findFirst()
            .orElseThrow();
    assertThat(repeated.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }

  private static String point(RunReport run) {
    return Objects.requireNonNull(run.faults().get(0).point()).role().toString();
  }
}
