package dev.holdfast;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A message to be delivered because a transaction committed. Immutable, apart from the payload
 * array, which is not copied and must not be changed.
 *
 * <p>Messages with the same key are delivered by a channel in the order in which their transactions
 * took the key, whatever their topics; messages without a key are unordered. The attributes map to
 * CloudEvents 1.0 (<a href="https://github.com/cloudevents/spec">specification</a>): {@code id},
 * {@code type}, {@code datacontenttype}; the payload is its {@code data}.
 */
public final class Message {
  /** The longest topic, which is Kafka's bound. */
  public static final int MAX_TOPIC_CHARS = 249;

  /** The longest key. */
  public static final int MAX_KEY_CHARS = 512;

  /** The largest payload that can be recorded; a store may be set to less. */
  public static final int MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

  /** The number of headers, and the bytes of all their names and values together. */
  public static final int MAX_HEADERS = 64;

  public static final int MAX_HEADER_BYTES = 16 * 1024;

  private static final int MAX_TYPE_CHARS = 255;
  private static final int MAX_DEDUPE_KEY_CHARS = 512;
  private static final Pattern TOPIC = Pattern.compile("[A-Za-z0-9._-]+");
  private static final Pattern HEADER_NAME = Pattern.compile("[A-Za-z0-9._-]{1,100}");

  private final UUID id;
  private final String topic;
  private final @Nullable String key;
  private final String type;
  private final String contentType;
  private final byte @Nullable [] payload;
  private final Map<String, String> headers;
  private final @Nullable Instant deliverAt;
  private final @Nullable String dedupeKey;

  private Message(Builder builder) {
    this.id = builder.id == null ? UUID.randomUUID() : builder.id;
    this.topic = requireTopic(builder.topic);
    this.key = builder.key;
    this.type = builder.type == null ? builder.topic : builder.type;
    this.contentType = builder.contentType;
    this.payload = builder.payload;
    this.headers = Collections.unmodifiableMap(new LinkedHashMap<>(builder.headers));
    this.deliverAt = builder.deliverAt;
    this.dedupeKey = builder.dedupeKey;
    check();
  }

  /**
   * A JSON message.
   *
   * @param topic 1 to 249 of the characters {@code A-Z a-z 0-9 . _ -}
   * @param key what is kept in order, 1 to 512 characters
   * @throws InvalidMessage when a part is missing or over its bound
   */
  public static Message of(String topic, String key, String json) {
    return to(topic).key(key).json(json).build();
  }

  /** A message of bytes, {@code application/octet-stream}. */
  public static Message of(String topic, String key, byte[] payload) {
    return to(topic).key(key).payload("application/octet-stream", payload).build();
  }

  /** Begins a message; without a {@link Builder#key} it is unordered. */
  public static Builder to(String topic) {
    return new Builder(topic);
  }

  public UUID id() {
    return id;
  }

  public String topic() {
    return topic;
  }

  /** What is kept in order, or {@code null} for an unordered message. */
  public @Nullable String key() {
    return key;
  }

  public String type() {
    return type;
  }

  public String contentType() {
    return contentType;
  }

  /** The payload, or {@code null} for a tombstone. */
  public byte @Nullable [] payload() {
    return payload;
  }

  public Map<String, String> headers() {
    return headers;
  }

  /** Not to be delivered before this instant, by the database's clock; {@code null} for at once. */
  public @Nullable Instant deliverAt() {
    return deliverAt;
  }

  public @Nullable String dedupeKey() {
    return dedupeKey;
  }

  /** The topic and the id; the key and the payload may be confidential. */
  @Override
  public String toString() {
    return "Message[" + topic + " " + id + "]";
  }

  /**
   * The same message, id included, with one more header, or with another value of it.
   *
   * @throws InvalidMessage when the headers are over their bounds then
   */
  public Message withHeader(String name, String value) {
    Builder builder = new Builder(topic);
    builder.headers.putAll(headers);
    builder.headers.put(name, value);
    builder.id = id;
    builder.key = key;
    builder.type = type;
    builder.contentType = contentType;
    builder.payload = payload;
    builder.deliverAt = deliverAt;
    builder.dedupeKey = dedupeKey;
    return builder.build();
  }

  private static String requireTopic(@Nullable String topic) {
    if (topic == null || topic.isEmpty()) {
      throw new InvalidMessage("The message has no topic, so it was not recorded. Name one.");
    }
    requireLength("topic", topic, MAX_TOPIC_CHARS);
    if (!TOPIC.matcher(topic).matches()) {
      throw new InvalidMessage(
          "The topic '"
              + topic
              + "' has characters other than A-Z a-z 0-9 . _ - so the message was not recorded.");
    }
    return topic;
  }

  private void check() {
    if (key != null) {
      requireLength("key", key, MAX_KEY_CHARS);
    }
    requireLength("type", type, MAX_TYPE_CHARS);
    requireLength("content type", contentType, MAX_TYPE_CHARS);
    if (dedupeKey != null) {
      requireLength("dedupe key", dedupeKey, MAX_DEDUPE_KEY_CHARS);
    }
    if (payload != null && payload.length > MAX_PAYLOAD_BYTES) {
      throw new InvalidMessage(
          "The payload for topic '%s' has %,d bytes, over the bound of %,d, so it was not recorded. Store it elsewhere and publish a reference."
              .formatted(topic, payload.length, MAX_PAYLOAD_BYTES));
    }
    int bytes = 0;
    for (Map.Entry<String, String> header : headers.entrySet()) {
      if (!HEADER_NAME.matcher(header.getKey()).matches()) {
        throw new InvalidMessage(
            "The header name '"
                + header.getKey()
                + "' is not 1 to 100 of the characters A-Z a-z 0-9 . _ - so the message was not"
                + " recorded.");
      }
      requireText("header " + header.getKey(), header.getValue());
      bytes += header.getKey().length() + header.getValue().getBytes(StandardCharsets.UTF_8).length;
    }
    if (headers.size() > MAX_HEADERS || bytes > MAX_HEADER_BYTES) {
      throw new InvalidMessage(
          "The message for topic '%s' has %d headers of %,d bytes together, over the bounds of %d and %,d, so it was not recorded."
              .formatted(topic, headers.size(), bytes, MAX_HEADERS, MAX_HEADER_BYTES));
    }
  }

  private static void requireLength(String what, String value, int max) {
    if (value.isEmpty() || value.length() > max) {
      throw new InvalidMessage(
          "The %s has %,d characters, and must have 1 to %d, so the message was not recorded."
              .formatted(what, value.length(), max));
    }
    requireText(what, value);
  }

  private static void requireText(String what, String value) {
    if (value.indexOf('\0') >= 0) {
      throw new InvalidMessage(
          "The "
              + what
              + " contains a NUL character, which PostgreSQL cannot store, so the message was not"
              + " recorded.");
    }
  }

  /** Builds a {@link Message}. Not thread-safe. */
  public static final class Builder {
    private final String topic;
    private @Nullable UUID id;
    private @Nullable String key;
    private @Nullable String type;
    private String contentType = "application/json";
    private byte @Nullable [] payload;
    private final Map<String, String> headers = new LinkedHashMap<>();
    private @Nullable Instant deliverAt;
    private @Nullable String dedupeKey;

    private Builder(String topic) {
      this.topic = requireTopic(topic);
    }

    /** The message's id, by which receivers tell repeats; a random one when not set. */
    public Builder id(UUID value) {
      this.id = value;
      return this;
    }

    /**
     * What is kept in order.
     *
     * @throws InvalidMessage for {@code null}; leave the call out for an unordered message
     */
    public Builder key(String value) {
      if (value == null) {
        throw new InvalidMessage(
            "The key is null, so the message was not recorded. For a message without order leave"
                + " the key out: Message.to(topic).json(…).build().");
      }
      this.key = value;
      return this;
    }

    /** The CloudEvents type; the topic when not set. */
    public Builder type(String value) {
      this.type = value;
      return this;
    }

    /** A JSON payload in UTF-8. It is not parsed. */
    public Builder json(String value) {
      return payload("application/json", value.getBytes(StandardCharsets.UTF_8));
    }

    public Builder payload(String mediaType, byte[] value) {
      this.contentType = mediaType;
      this.payload = value;
      return this;
    }

    /** A header of the application's own, passed through to the target. */
    public Builder header(String name, String value) {
      headers.put(name, value);
      return this;
    }

    /**
     * The W3C trace context that the consumer's span will have as its parent (<a
     * href="https://www.w3.org/TR/trace-context/">specification</a>).
     */
    public Builder traceparent(String value) {
      return header("traceparent", value);
    }

    /** Not before this instant, by the database's clock. The order of the key starts then. */
    public Builder deliverAt(Instant instant) {
      this.deliverAt = instant;
      return this;
    }

    /**
     * Drops this message silently when one with the same topic and dedupe key was committed within
     * the store's dedupe window.
     */
    public Builder dedupeKey(String value) {
      this.dedupeKey = value;
      return this;
    }

    /**
     * @throws InvalidMessage when a part is over its bound
     */
    public Message build() {
      return new Message(this);
    }
  }
}
