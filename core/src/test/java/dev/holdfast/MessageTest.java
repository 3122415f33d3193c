package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class MessageTest {

  static Stream<Message.Builder> bad() {
    return Stream.of(
        Message.to("t").key(""),
        Message.to("t").key("k".repeat(Message.MAX_KEY_CHARS + 1)),
        Message.to("t").key("a\0b"),
        Message.to("t").type(""),
        Message.to("t").type("x".repeat(256)),
        Message.to("t").dedupeKey(""),
        Message.to("t").payload("", new byte[1]),
        Message.to("t").payload("a/b", new byte[Message.MAX_PAYLOAD_BYTES + 1]),
        Message.to("t").header("", "v"),
        Message.to("t").header("a b", "v"),
        Message.to("t").header("h", "a\0b"),
        Message.to("t").header("h", "v".repeat(Message.MAX_HEADER_BYTES)));
  }

  @ParameterizedTest
  @MethodSource("bad")
  void whatIsOverABoundIsRefusedAndSaysThatNothingWasRecorded(Message.Builder builder) {
    assertThatThrownBy(builder::build)
        .isInstanceOf(InvalidMessage.class)
        .hasMessageContaining("not recorded");
  }

  @ParameterizedTest
  @MethodSource("badTopics")
  void aTopicThatKafkaWouldNotTakeIsRefused(String topic) {
    assertThatThrownBy(() -> Message.to(topic))
        .isInstanceOf(InvalidMessage.class)
        .hasMessageContaining("not recorded");
  }

  static Stream<String> badTopics() {
    return Stream.of("", "a b", "ü", "a/b", "t".repeat(Message.MAX_TOPIC_CHARS + 1));
  }

  @Test
  void whatIsAtItsBoundIsTaken() {
    Message message =
        Message.to("t".repeat(Message.MAX_TOPIC_CHARS))
            .key("k".repeat(Message.MAX_KEY_CHARS))
            .json("{}")
            .build();
    assertThat(message.payload()).isEqualTo("{}".getBytes(StandardCharsets.UTF_8));
    assertThat(message.type()).isEqualTo(message.topic());
  }

  @Test
  void itsTextNamesNeitherKeyNorPayload() {
    assertThat(Message.of("t", "secret-key", "secret-payload").toString())
        .contains("t ")
        .doesNotContain("secret");
  }
}
