package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The negative control: the demo's count sees what goes wrong without the outbox. */
class NaiveDemoEndToEndTest {
  @TempDir Path directory;

  @Tag("long")
  @Test
  void usualCodeDoesNotGetThroughUnharmed() throws Exception {
    JsonNode naive =
        DemoRuns.strategies(
            directory,
            "demo --strategies db-then-broker,broker-then-db --operations 400 --kills 24");

    assertThat(naive).hasSize(2);
    assertThat(DemoRuns.violations(naive.path(0))).as(naive.toString()).isPositive();
    assertThat(DemoRuns.violations(naive.path(1))).as(naive.toString()).isPositive();
  }
}
