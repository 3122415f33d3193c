package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The service, its database and the search engine are killed, over and over, replies are lost, and
 * requests come late: the index is what the catalogue is where events lead to it, and is not where
 * the usual code does.
 */
@Tag("long")
class SearchDemoEndToEndTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void theIndexIsWhatTheCatalogueIs(long seed) throws Exception {
    JsonNode row =
        DemoRuns.strategies(
                directory, "demo --strategies search --operations 800 --kills 12 --seed " + seed)
            .path(0);

    assertThat(row.path("name").asText()).isEqualTo("search");
    assertThat(DemoRuns.violations(row) + differences(row)).as(row.toString()).isZero();
    assertThat(row.path("kills").asInt()).as(row.toString()).isEqualTo(12);
    // There was something to be found, something not to be, and something that came too late.
    assertThat(row.at("/index/products").asInt()).as(row.toString()).isPositive();
    assertThat(row.at("/index/deleted").asInt()).as(row.toString()).isPositive();
    assertThat(row.at("/index/late").asInt()).as(row.toString()).isPositive();
  }

  /** The negative control: the count sees it. */
  @Test
  void theUsualCodeLeavesAnotherIndexWithTheDefaultSeed() throws Exception {
    JsonNode row =
        DemoRuns.strategies(directory, "demo --strategies search-naive --operations 800 --kills 24")
            .path(0);

    assertThat(differences(row)).as(row.toString()).isPositive();
    assertThat(DemoRuns.violations(row)).as(row.toString()).isEqualTo(differences(row));
  }

  private static int differences(JsonNode row) {
    return Stream.of("missing", "extra", "stale")
        .mapToInt(difference -> row.path("index").path(difference).asInt())
        .sum();
  }
}
