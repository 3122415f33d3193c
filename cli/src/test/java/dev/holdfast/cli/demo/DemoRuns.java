package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Whole runs of the demo, and what they say in JSON. */
final class DemoRuns {
  private DemoRuns() {}

  static JsonNode strategies(Path directory, String line) throws IOException {
    Path json = directory.resolve("demo.json");
    Run run = Run.line(line, "--json", json.toString());
    assertThat(run.status()).as(run.err()).isZero();
    return new ObjectMapper().readTree(json.toFile()).path("strategies");
  }

  static int violations(JsonNode strategy) {
    return Stream.of("lost", "phantom", "duplicate", "reordered")
        .mapToInt(violation -> strategy.path(violation).asInt())
        .sum();
  }
}
