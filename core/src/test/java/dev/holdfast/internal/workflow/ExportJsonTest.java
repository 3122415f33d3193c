package dev.holdfast.internal.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.UnreadableData;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.WorkflowStore.History;
import dev.holdfast.workflow.store.WorkflowStore.Signal;
import java.time.Instant;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** What is exported is read as it was, whatever people have put into it. */
final class ExportJsonTest {
  private static final Instant AT = Instant.parse("2026-11-26T17:00:00.123456Z");

  private static String quoted(String text) {
    StringBuilder json = new StringBuilder();
    JsonText.quote(json, text);
    return json.toString();
  }

  @Property(tries = 500)
  void comesBackAsItWas(@ForAll String id, @ForAll String text, @ForAll String note) {
    Export run =
        new Export(
            id,
            "place-order",
            3,
            text,
            RunStatus.STUCK,
            note,
            "{ \"a\" : [1, {\"b}\":" + quoted(text) + "}, null] }",
            new History(
                List.of(
                    new Entry(1, Kind.RESULT, text, quoted(note), null, AT),
                    new Entry(2, Kind.UNWINDING, "", null, note, AT),
                    new Entry(3, Kind.FOREIGN, "s", "[]", "MARVEL", AT)),
                List.of(new Signal(1, note, "-1.5e3", null), new Signal(2, id, null, text))));
    assertThat(ExportJson.read(ExportJson.write(run))).isEqualTo(run);
  }

  @Test
  void isRefusedWhereverItBreaksOff() {
    String json =
        ExportJson.write(
            new Export(
                "o-1",
                "place-order",
                1,
                "o-1",
                RunStatus.RUNNING,
                null,
                "{\"a\":\"\\\"\"}",
                new History(
                    List.of(new Entry(1, Kind.RESULT, "tax", "5", null, AT)),
                    List.of(new Signal(1, "go", null, null)))));
    for (int length = 0; length < json.length() - 2; length++) {
      String part = json.substring(0, length);
      assertThatThrownBy(() -> ExportJson.read(part))
          .as(part)
          .isInstanceOf(UnreadableData.class)
          .hasMessageContaining("no exported run");
    }
  }
}
