package dev.holdfast.outbox.store;

import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A row of the outbox as the relay reads it.
 *
 * @param position unique; rising in the order of the key
 * @param kind a message, or an operator's order that takes effect at this place of its key
 * @param recordedAtMillis milliseconds since 1970, by the database's clock
 */
public record OutboxRecord(
    long position,
    Kind kind,
    UUID id,
    String topic,
    @Nullable String key,
    String type,
    String contentType,
    byte @Nullable [] payload,
    Map<String, String> headers,
    @Nullable String operationId,
    long recordedAtMillis) {

  /** What a row means. */
  public enum Kind {
    MESSAGE,
    /** Hold back the lane named in {@code key} from here on; {@code topic} names the channel. */
    PARK,
    /** Send what the lane named in {@code key} holds back; {@code topic} names the channel. */
    UNPARK
  }

  /**
   * What is parked together: the key, or for a message without one the message alone. The prefix
   * keeps the two apart.
   */
  public String lane() {
    if (kind != Kind.MESSAGE) {
      return java.util.Objects.requireNonNull(key);
    }
    return key == null ? "p:" + position : laneOfKey(key);
  }

  public static String laneOfKey(String key) {
    return "k:" + key;
  }

  /** The bytes it occupies in memory, roughly. */
  public int size() {
    return (payload == null ? 0 : payload.length) + 200;
  }

  /** Names the message without its content. */
  @Override
  public String toString() {
    return kind + "[" + position + " " + topic + " " + id + "]";
  }
}
