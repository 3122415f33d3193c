package dev.holdfast.cli.prove;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Run;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProveEndToEndTest {
  @TempDir Path directory;

  @Test
  void theDualWriteIsRedAndNamesItsLineAndTheOutboxIsGreen() throws Exception {
    Path json = directory.resolve("prove.json");
    Path html = directory.resolve("prove.html");

    Run run = Run.of("prove", "--json", json.toString(), "--html", html.toString());

    assertThat(run.status()).as(run.out() + run.err()).isZero();
    assertThat(run.out())
        .containsPattern(
            "LOST: record in orders.placed is missing \\(to be made at"
                + " DualWriteOrders.place\\(DualWriteOrders.java:\\d+\\)\\)")
        .containsPattern("Red, .* such as a simulated crash before p2 \\[kafka: send")
        .contains("kafka: deliver (orders.placed) on holdfast-relay-orders")
        .contains("Green: none of");

    JsonNode proof = new ObjectMapper().readTree(json.toFile());
    assertThat(proof.path("proved").asBoolean()).isTrue();
    assertThat(proof.findValuesAsText("name")).containsExactly("dual-write", "outbox");
    JsonNode outbox = proof.path("strategies").path(1).path("exploration");
    assertThat(outbox.path("passed").asBoolean()).isTrue();
    assertThat(outbox.path("points").size()).isGreaterThanOrEqualTo(3);
    assertThat(outbox.findValuesAsText("carrier"))
        .contains("simulated crash", "lost acknowledgment");
    assertThat(Files.readString(html)).contains("dual-write", "outbox", "✗", "✓");
  }
}
