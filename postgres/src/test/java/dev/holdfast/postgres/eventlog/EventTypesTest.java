package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.UnreadableEvent;
import dev.holdfast.jackson.JacksonCodec;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A corpus of stored events, over the versions of their schemas. */
final class EventTypesTest {
  private final Log log = new Log();

  sealed interface Event permits Placed, Cancelled {}

  record Placed(String item, int quantity, String currency) implements Event {}

  record Cancelled(String reason) implements Event {}

  /** First "bought", of one item each; then with a quantity; then "placed", with a currency. */
  private static final EventTypes<Event> TODAY =
      EventTypes.of(Event.class)
          .type("placed", 3, Placed.class)
          .type("cancelled", Cancelled.class)
          .renamed("bought", "placed")
          .upcast("placed", 1, json -> json.replace("}", ",\"quantity\":1}"))
          .upcast("placed", 2, json -> json.replace("}", ",\"currency\":\"EUR\"}"))
          .build(new JacksonCodec());

  @AfterEach
  void end() {
    log.close();
  }

  private static EventData old(String type, int schemaVersion, String json) {
    return EventData.json(type, json).withSchemaVersion(schemaVersion);
  }

  private List<RecordedEvent> events() {
    return log.log.read(StreamQuery.of("order"));
  }

  @Test
  void eventsOfAllVersionsAreReadAsTheyAreToday() {
    log.append(
        "order",
        ExpectedVersion.none(),
        old("bought", 1, "{\"item\":\"a\"}"),
        old("bought", 2, "{\"item\":\"b\",\"quantity\":2}"),
        TODAY.write(UUID.randomUUID(), new Placed("c", 3, "CHF")),
        TODAY.write(UUID.randomUUID(), new Cancelled("late")));
    assertThat(events())
        .extracting(TODAY::read)
        .containsExactly(
            new Placed("a", 1, "EUR"),
            new Placed("b", 2, "EUR"),
            new Placed("c", 3, "CHF"),
            new Cancelled("late"));
    assertThat(events().get(2).type()).isEqualTo("placed");
    assertThat(events().get(2).schemaVersion()).isEqualTo(3);
  }

  @Test
  void whatCannotBeReadIsNamedAndLeftAsItIs() {
    log.append(
        "order",
        ExpectedVersion.none(),
        old("placed", 4, "{}"),
        old("placed", 3, "[]"),
        old("shipped", 1, "{}"));
    for (RecordedEvent event : events()) {
      assertThatThrownBy(() -> TODAY.read(event))
          .isInstanceOf(UnreadableEvent.class)
          .hasMessageContainingAll("position " + event.position(), "stream order", "as it is");
    }
    assertThat(events()).hasSize(3);
  }
}
