package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.crashtest.Attacks;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Both services, the broker and the database are killed, over and over. */
@Tag("long")
class ReceivingDemoEndToEndTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  @Attacks({
    "consumer.atomicity",
    "consumer.once",
    "consumer.order",
    "inbox.atomicity",
    "inbox.once",
    "outbox.delivery.none-lost",
    "outbox.order"
  })
  void inboxAndWebhookShipEveryOrderOnceAndInOrder(long seed) throws Exception {
    JsonNode rows =
        DemoRuns.strategies(
            directory,
            "demo --strategies inbox,webhook --operations 800 --kills 12 --seed " + seed);

    assertThat(rows).hasSize(2);
    for (JsonNode row : rows) {
      assertThat(DemoRuns.violations(row)).as(row.toString()).isZero();
      assertThat(row.path("kills").asInt()).as(row.toString()).isEqualTo(3 + 6);
    }
  }
}
