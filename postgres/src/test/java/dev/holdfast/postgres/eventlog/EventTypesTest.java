package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.InvalidEvent;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.TypedEvent;
import dev.holdfast.eventlog.UnreadableEvent;
import dev.holdfast.eventlog.Upcaster.Upcast;
import dev.holdfast.jackson.JacksonCodec;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Events as values, over the versions of their schemas. */
final class EventTypesTest {
  private final Log log = new Log();

  record Placed(String item, int quantity, String currency) {}

  record Cancelled(String reason) {}

  @AfterEach
  void end() {
    log.close();
  }

  private static EventTypes.Builder types() {
    JacksonCodec codec = new JacksonCodec();
    return EventTypes.with(codec::write, codec::read);
  }

  /** First "bought", of one item each; then with a quantity; then "placed", with a currency. */
  private static EventTypes today() {
    return types()
        .type("placed", 3, Placed.class)
        .type("cancelled", 1, Cancelled.class)
        .upcastJson("bought", 1, json -> json.replace("}", ",\"quantity\":1}"))
        .upcast(
            "bought",
            2,
            event ->
                new Upcast(
                    "placed",
                    event
                        .text()
                        .replace("}", ",\"currency\":\"EUR\"}")
                        .getBytes(StandardCharsets.UTF_8)))
        .build();
  }

  private static EventData old(String type, int schemaVersion, String json) {
    return EventData.json(type, json).withSchemaVersion(schemaVersion);
  }

  private List<RecordedEvent> events() {
    return log.log.read(StreamQuery.of("order"));
  }

  @Test
  void eventsOfAllVersionsAreReadAsTheyAreToday() {
    EventTypes types = today();
    log.append(
        "order",
        ExpectedVersion.none(),
        old("bought", 1, "{\"item\":\"a\"}"),
        old("bought", 2, "{\"item\":\"b\",\"quantity\":2}"),
        types.event(new Placed("c", 3, "CHF")),
        types.event(new Cancelled("late")));
    assertThat(events())
        .extracting(event -> types.read(event).orThrow())
        .containsExactly(
            new Placed("a", 1, "EUR"),
            new Placed("b", 2, "EUR"),
            new Placed("c", 3, "CHF"),
            new Cancelled("late"));
    RecordedEvent first = events().get(0);
    assertThat(types.read(first).event()).as("as it was appended").isEqualTo(first);
    assertThat(events().get(2).type()).isEqualTo("placed");
    assertThat(events().get(2).schemaVersion()).isEqualTo(3);
  }

  @Test
  void whatCannotBeReadIsNamedAndNotPassedOver() {
    log.append(
        "order",
        ExpectedVersion.none(),
        old("placed", 4, "{}"),
        old("placed", 1, "{}"),
        old("placed", 3, "[]"),
        old("bought", 1, "{}"),
        old("shipped", 1, "{}"));
    EventTypes types =
        types()
            .type("placed", 3, Placed.class)
            .upcastJson(
                "bought",
                1,
                json -> {
                  throw new IllegalStateException("no item");
                })
            .build();
    List<RecordedEvent> events = events();
    assertThatThrownBy(() -> types.read(events.get(0)))
        .isInstanceOf(UnreadableEvent.class)
        .hasMessageContainingAll("position 1", "stream order", "schema version 4", "latest");
    assertThatThrownBy(() -> types.read(events.get(1)))
        .isInstanceOf(UnreadableEvent.class)
        .hasMessageContainingAll("no upcaster of placed from schema version 1", "3 is today's");
    assertThatThrownBy(() -> types.read(events.get(2)))
        .isInstanceOf(UnreadableEvent.class)
        .hasMessageContainingAll("not that of a Placed");
    assertThatThrownBy(() -> types.read(events.get(3)))
        .isInstanceOf(UnreadableEvent.class)
        .hasMessageContainingAll("upcaster of bought from schema version 1", "no item")
        .hasCauseInstanceOf(IllegalStateException.class);
    TypedEvent unknown = types.read(events.get(4));
    assertThat(unknown).isEqualTo(new TypedEvent.UnknownType(events.get(4)));
    assertThatThrownBy(unknown::orThrow)
        .isInstanceOf(UnreadableEvent.class)
        .hasMessageContainingAll("nobody has named its type");
    assertThatThrownBy(() -> types.event(new Cancelled("x"))).isInstanceOf(InvalidEvent.class);
  }

  @Test
  void aNameIsGivenOnce() {
    EventTypes.Builder types = types().type("placed", 1, Placed.class);
    assertThatThrownBy(() -> types.type("placed", 2, Cancelled.class))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> types.type("other", 1, Placed.class))
        .isInstanceOf(InvalidConfiguration.class);
    types.upcastJson("placed", 1, json -> json);
    assertThatThrownBy(() -> types.upcastJson("placed", 1, json -> json))
        .isInstanceOf(InvalidConfiguration.class);
  }
}
