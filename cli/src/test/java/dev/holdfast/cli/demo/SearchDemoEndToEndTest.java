package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The service, its database and the search engine are killed, over and over, replies are lost, and
 * requests come late: the index is what the catalogue is where events lead to it, and is not where
 * the usual code does.
 */
class SearchDemoEndToEndTest {
  private static final List<String> DIFFERENCES = List.of("missing", "extra", "stale");

  @TempDir Path directory;

  /** Two strategies: with twice the time of a test. */
  @Tag("long")
  @Test
  @Timeout(value = 8, unit = TimeUnit.MINUTES)
  void theUsualCodeIsCaughtAndTheEventLogIsNot() throws Exception {
    JsonNode both =
        DemoRuns.strategies(
            directory, "demo --strategies search-naive,search --operations 160 --kills 2");

    assertThat(both).hasSize(2);
    assertThat(both.path(0).path("name").asText()).isEqualTo("search-naive");
    assertThat(differences(both.path(0))).as(both.toString()).isPositive();
    assertClean(both.path(1), 2);
  }

  @Tag("long")
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void theIndexIsWhatTheCatalogueIs(long seed) throws Exception {
    JsonNode row =
        DemoRuns.strategies(
                directory, "demo --strategies search --operations 800 --kills 12 --seed " + seed)
            .path(0);

    assertClean(row, 12);
    assertThat(row.at("/index/late").asInt()).as(row.toString()).isPositive();
  }

  private static void assertClean(JsonNode row, int kills) {
    assertThat(row.path("name").asText()).isEqualTo("search");
    assertThat(DemoRuns.violations(row) + differences(row)).as(row.toString()).isZero();
    assertThat(row.path("kills").asInt()).as(row.toString()).isEqualTo(kills);
    // There was something to be found, and something not to be.
    assertThat(row.at("/index/products").asInt()).as(row.toString()).isPositive();
    assertThat(row.at("/index/deleted").asInt()).as(row.toString()).isPositive();
  }

  /** The negative control: the count sees each kind of them. */
  @Tag("long")
  @Test
  void theUsualCodeLeavesAnotherIndexWithTheDefaultSeed() throws Exception {
    JsonNode row =
        DemoRuns.strategies(directory, "demo --strategies search-naive --operations 800 --kills 24")
            .path(0);

    for (String difference : DIFFERENCES) {
      assertThat(row.path("index").path(difference).asInt())
          .as(difference + " of " + row)
          .isPositive();
    }
    assertThat(DemoRuns.violations(row)).as(row.toString()).isEqualTo(differences(row));
  }

  private static int differences(JsonNode row) {
    return DIFFERENCES.stream()
        .mapToInt(difference -> row.path("index").path(difference).asInt())
        .sum();
  }
}
