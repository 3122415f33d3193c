package dev.holdfast.examples.orders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.CrashTestFailure;
import dev.holdfast.crashtest.report.Carrier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;

/** The crash test of the dual write has to fail, and to say where. */
final class DualWriteOrdersTest {
  private static final Path SOURCE =
      Path.of("src/main/java/dev/holdfast/examples/orders/DualWriteOrders.java");

  /** The crash test, as one writes it. Run by the test below: it fails, as it should. */
  static final class Cases {
    @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
    void everyOrderIsAnnounced(CrashLab lab) {
      ShopServers.LAB.dualWrite(lab);
    }
  }

  @Test
  void losesTheMessageBetweenTheTwoCommitsAndTheTestNamesPointAndLine()
      throws IOException, SQLException {
    ShopServers.LAB.createTable();
    EngineExecutionResults results =
        EngineTestKit.engine("junit-jupiter")
            .selectors(selectMethod(Cases.class, "everyOrderIsAnnounced", CrashLab.class))
            .execute();

    String send = "DualWriteOrders.place(DualWriteOrders.java:%d)".formatted(line("producer.send"));
    String commit =
        "DualWriteOrders.place(DualWriteOrders.java:%d)".formatted(line("connection.commit"));
    List<String> failures =
        results.testEvents().failed().stream()
            .map(event -> event.getRequiredPayload(TestExecutionResult.class))
            .map(result -> result.getThrowable().orElseThrow())
            .peek(failure -> assertThat(failure).isInstanceOf(CrashTestFailure.class))
            .map(failure -> String.valueOf(failure.getMessage()))
            .toList();
    assertThat(failures)
        .allSatisfy(
            failure ->
                assertThat(failure)
                    .contains(
                        "LOST: record in orders.placed is missing (to be made at " + send + ")"));
    assertThat(failures)
        .satisfiesExactly(
            failure ->
                assertThat(failure)
                    .startsWith("simulated crash between effect and acknowledgment of p1 [shop:")
                    .contains(" at " + commit + "]"),
            failure ->
                assertThat(failure)
                    .startsWith(
                        "simulated crash before p2 [kafka: send (orders.placed) at " + send),
            failure ->
                assertThat(failure)
                    .startsWith("simulated crash with the client library still holding back p2"),
            failure -> assertThat(failure).startsWith("lost acknowledgment of p1 [shop: commit"));
    assertThat(Files.readString(Path.of("../README.md")))
        .as("what the README shows of it")
        .contains(failures.get(1).lines().limit(2).toList());
    // Golden; before, after and at the end of two points; held back by the producer; two lost
    // acknowledgments.
    results.testEvents().assertStatistics(tests -> tests.started(9).succeeded(5).failed(4));
  }

  private static int line(String code) throws IOException {
    List<String> lines = Files.readAllLines(SOURCE);
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).contains(code)) {
        return i + 1;
      }
    }
    throw new AssertionError(code + " is not in " + SOURCE);
  }
}
