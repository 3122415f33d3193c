package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Main;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoEndToEndTest {
  @TempDir Path directory;

  @Test
  void outboxLosesInventsRepeatsAndReordersNothing() throws Exception {
    Path json = directory.resolve("demo.json");

    int status =
        Main.commandLine()
            .execute(
                "demo",
                "--operations",
                "300",
                "--kills",
                "2",
                "--strategies",
                "outbox",
                "--json",
                json.toString());

    JsonNode outbox = new ObjectMapper().readTree(json.toFile()).path("strategies").path(0);
    assertThat(outbox.path("operations").asInt()).isEqualTo(300);
    assertThat(outbox.path("kills").asInt()).isEqualTo(2);
    for (String violation : new String[] {"lost", "phantom", "duplicate", "reordered"}) {
      assertThat(outbox.path(violation).asInt()).as(violation).isZero();
    }
    assertThat(status).isZero();
  }
}
