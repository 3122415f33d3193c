package dev.holdfast.jackson;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Codec;
import dev.holdfast.UnreadableData;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

final class JacksonCodecTest {
  private final Codec codec = new JacksonCodec();

  record Order(String id, long cents, Instant at, Optional<String> note, List<String> lines) {}

  record Smaller(String id) {}

  @Test
  void isFoundOnTheClassPath() {
    assertThat(ServiceLoader.load(Codec.class)).hasOnlyElementsOfType(JacksonCodec.class);
  }

  @Test
  void readsWhatItHasWrittenAndWritesNoClass() {
    Order order =
        new Order(
            "o-1", 1_299, Instant.parse("2026-11-26T12:00:00Z"), Optional.empty(), List.of("a"));
    String json = codec.write(order);
    assertThat(codec.read(json, Order.class)).isEqualTo(order);
    assertThat(json).contains("2026-11-26T12:00:00Z").doesNotContain("Order", "holdfast");
  }

  @Test
  void writesEqualMapsTheSame() {
    Map<String, Integer> one = new LinkedHashMap<>();
    one.put("tea", 1);
    one.put("cups", 2);
    Map<String, Integer> other = new LinkedHashMap<>();
    other.put("cups", 2);
    other.put("tea", 1);
    assertThat(codec.write(one)).isEqualTo(codec.write(other));
    assertThat(codec.write(Map.of(new Smaller("a"), 1, new Smaller("b"), 2))).contains("Smaller");
  }

  @Test
  void passesOverWhatATypeDoesNotHaveAnyMore() {
    assertThat(codec.read("{\"id\":\"o-1\",\"gone\":1}", Smaller.class))
        .isEqualTo(new Smaller("o-1"));
  }

  @Test
  void saysWhatCannotBeReadOrWritten() {
    assertThatThrownBy(() -> codec.read("{\"id\":", Smaller.class))
        .isInstanceOf(UnreadableData.class)
        .hasMessageContaining("Smaller");
    assertThatThrownBy(() -> codec.read("null", Smaller.class)).isInstanceOf(UnreadableData.class);
    assertThatThrownBy(() -> codec.write(new Object())).isInstanceOf(UnreadableData.class);
  }
}
