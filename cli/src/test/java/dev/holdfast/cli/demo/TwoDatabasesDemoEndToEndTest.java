package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The service and both databases are killed, over and over, and replies are lost. */
@Tag("long")
class TwoDatabasesDemoEndToEndTest {
  @TempDir Path directory;

  /** The run fails as well when something is left prepared. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void bothDatabasesHaveEveryOrderOnceAndInOrder(long seed) throws Exception {
    JsonNode row =
        DemoRuns.strategies(
                directory, "demo --strategies two-phase --operations 800 --kills 12 --seed " + seed)
            .path(0);

    assertThat(row.path("name").asText()).isEqualTo("two-phase");
    assertThat(DemoRuns.violations(row)).as(row.toString()).isZero();
    assertThat(row.path("kills").asInt()).as(row.toString()).isEqualTo(12);
  }

  @Test
  void twoCommitsOneAfterTheOtherLoseEntriesWithTheDefaultSeed() throws Exception {
    JsonNode row =
        DemoRuns.strategies(
                directory, "demo --strategies two-databases-naive --operations 400 --kills 24")
            .path(0);

    assertThat(row.path("lost").asInt()).as(row.toString()).isPositive();
  }
}
