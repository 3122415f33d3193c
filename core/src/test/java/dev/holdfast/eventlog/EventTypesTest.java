package dev.holdfast.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Codec;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.UnreadableData;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Names, versions, and what was recorded in an earlier form. */
final class EventTypesTest {
  sealed interface Event permits Placed, Shipped {}

  record Placed(String text) implements Event {}

  record Shipped(String text) implements Event {}

  /** An event's text, as it is. */
  private static final Codec PLAIN =
      new Codec() {
        @Override
        public String write(Object value) {
          return value instanceof Placed placed ? placed.text() : ((Shipped) value).text();
        }

        @Override
        public <T> T read(String json, Class<T> type) {
          if (json.equals("garbage")) {
            throw new UnreadableData("it is garbage");
          }
          return type.cast(type == Placed.class ? new Placed(json) : new Shipped(json));
        }
      };

  private static EventTypes.Builder<Event> both() {
    return EventTypes.of(Event.class)
        .type("placed", 3, Placed.class, placed -> Set.of("order:" + placed.text()))
        .type("shipped", Shipped.class)
        .upcast("placed", 1, json -> json + " 1to2")
        .upcast("placed", 2, json -> json + " 2to3");
  }

  private static RecordedEvent recorded(String type, int version, String data) {
    return new RecordedEvent(
        77,
        "order-1",
        4,
        new UUID(0, 1),
        type,
        version,
        "application/json",
        data.getBytes(StandardCharsets.UTF_8),
        Map.of(),
        "o",
        Instant.EPOCH);
  }

  @Test
  void writesTodaysFormUnderItsStableName() {
    EventData data = both().build(PLAIN).write(new UUID(0, 1), new Placed("a"));
    assertThat(data.type()).isEqualTo("placed");
    assertThat(data.schemaVersion()).isEqualTo(3);
    assertThat(data.tags()).containsExactly("order:a");
    assertThat(new String(data.data(), StandardCharsets.UTF_8)).isEqualTo("a");
  }

  @Test
  void bringsEarlierFormsIntoTodaysVersionByVersion() {
    EventTypes<Event> types = both().build(PLAIN);
    assertThat(types.read(recorded("placed", 1, "a"))).isEqualTo(new Placed("a 1to2 2to3"));
    assertThat(types.read(recorded("placed", 2, "a"))).isEqualTo(new Placed("a 2to3"));
    assertThat(types.read(recorded("placed", 3, "a"))).isEqualTo(new Placed("a"));
    assertThat(types.read(recorded("shipped", 1, "b"))).isEqualTo(new Shipped("b"));
  }

  @Test
  void saysWhereWhatCannotBeReadIs() {
    EventTypes<Event> types =
        EventTypes.of(Event.class)
            .type("placed", Placed.class)
            .type("shipped", 2, Shipped.class)
            .upcast(
                "shipped",
                1,
                json -> {
                  throw new IllegalStateException("no carrier");
                })
            .build(PLAIN);
    for (RecordedEvent event :
        new RecordedEvent[] {
          recorded("lost", 1, "x"), recorded("placed", 2, "x"), recorded("placed", 1, "garbage")
        }) {
      assertThatThrownBy(() -> types.read(event))
          .isInstanceOf(UnreadableEvent.class)
          .hasMessageContaining("position 77, version 4 of stream order-1");
    }
    assertThatThrownBy(() -> types.read(recorded("placed", 2, "x")))
        .hasMessageContaining("run a later one");
    assertThatThrownBy(() -> types.read(recorded("shipped", 1, "x")))
        .hasMessageContaining("upcaster from version 1")
        .hasMessageContaining("no carrier");
  }

  @Test
  void readsWhatWasRecordedUnderAFormerName() {
    EventTypes<Event> types = both().renamed("bought", "placed").build(PLAIN);
    assertThat(types.knows("bought")).isTrue();
    assertThat(types.read(recorded("bought", 2, "a"))).isEqualTo(new Placed("a 2to3"));
    assertThatThrownBy(() -> both().renamed("bought", "sold").build(PLAIN))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("sold");
    assertThatThrownBy(() -> both().renamed("shipped", "placed").build(PLAIN))
        .isInstanceOf(InvalidConfiguration.class);
  }

  @Test
  void isNotBuiltWithHoles() {
    assertThatThrownBy(() -> EventTypes.of(Event.class).type("placed", Placed.class).build(PLAIN))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining(Shipped.class.getName());
    assertThatThrownBy(
            () ->
                EventTypes.of(Event.class)
                    .type("placed", 3, Placed.class)
                    .type("shipped", Shipped.class)
                    .upcast("placed", 1, json -> json)
                    .build(PLAIN))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("nothing brings version 2");
    assertThatThrownBy(() -> both().upcast("shipped", 1, json -> json).build(PLAIN))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("no later version");
    assertThatThrownBy(() -> both().upcast("placed", 1, json -> json))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> both().type("placed", Shipped.class))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("twice");
  }
}
