package dev.holdfast.cli.prove;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Run;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProveEndToEndTest {
  @TempDir Path directory;

  @Tag("long") // The ordinary build makes the same runs in examples.
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

  @Tag("long")
  @Test
  void aForkedCrashIsFoundAndItsIdFindsItAgain() {
    Run all = Run.of("prove", "--strategies", "dual-write", "--carriers", "forked");
    assertThat(all.status()).as(all.out() + all.err()).isZero();
    assertThat(all.out()).contains("forked crash before p2 [kafka: send");
    Matcher id = Pattern.compile("replay: (forked:before@2-[0-9a-f]{4}:seed-1)").matcher(all.out());
    assertThat(id.find()).isTrue();

    Run again = Run.of("prove", "--strategies", "dual-write", "--replay", id.group(1));
    assertThat(again.status()).as(again.out() + again.err()).isEqualTo(1);
    assertThat(again.out())
        .contains("dual-write: 2 commit points, 2 runs, 1 did not hold")
        .contains("LOST: record in orders.placed is missing")
        .contains("Not held: the run made again finds what is said above.");

    Run unknown =
        Run.of("prove", "--strategies", "dual-write", "--replay", "forked:before@7-0000:seed-1");
    assertThat(unknown.status()).isEqualTo(1);
    assertThat(unknown.err())
        .contains(
            "holdfast: No run has the id forked:before@7-0000", id.group(1).split(":seed")[0]);
  }
}
