package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The negative control: the demo's count sees what goes wrong without Holdfast. */
@Tag("long")
class NaiveDemoEndToEndTest {
  @TempDir Path directory;

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

  @Test
  void acknowledgingBehindTheEffectsRepeatsAndInFrontOfThemLoses() throws Exception {
    JsonNode naive =
        DemoRuns.strategies(
            directory,
            "demo --strategies consume-then-ack,ack-then-consume --operations 800 --kills 16");

    assertThat(naive).hasSize(2);
    JsonNode behind = naive.path(0);
    assertThat(behind.path("duplicate").asInt()).as(naive.toString()).isPositive();
    assertThat(behind.path("lost").asInt()).as(naive.toString()).isZero();
    JsonNode inFront = naive.path(1);
    assertThat(inFront.path("lost").asInt()).as(naive.toString()).isPositive();
  }
}
