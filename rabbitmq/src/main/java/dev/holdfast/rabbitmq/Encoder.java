package dev.holdfast.rabbitmq;

import com.rabbitmq.client.AMQP;
import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Messages as those of AMQP 0-9-1, with the attributes of CloudEvents as headers, under the names
 * of the <a
 * href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md">binding
 * for AMQP 1.0</a> ({@code cloudEvents_}), which receivers over either version then find.
 * Immutable.
 */
final class Encoder {
  static final String OPERATION = "cloudEvents_operationid";

  private static final int PERSISTENT = 2;

  private final String source;

  Encoder(@Nullable String source, String channel) {
    this.source = source == null ? "/holdfast/" + channel : source;
  }

  /** Why it cannot be written down in AMQP, or {@code null}. */
  static @Nullable String unencodable(OutboxRecord message) {
    if (RabbitMqRoute.bytes(message.type()) > RabbitMqRoute.LONGEST_BYTES
        || RabbitMqRoute.bytes(message.contentType()) > RabbitMqRoute.LONGEST_BYTES) {
      return "its type or its content type has more than the 255 bytes that AMQP has room for";
    }
    return null;
  }

  AMQP.BasicProperties encode(OutboxRecord message) {
    // The application's own first, so that nothing of them takes the place of what follows.
    Map<String, Object> headers = new HashMap<>(message.headers());
    headers.put("cloudEvents_specversion", "1.0");
    headers.put("cloudEvents_id", message.id().toString());
    headers.put("cloudEvents_source", source);
    headers.put("cloudEvents_type", message.type());
    headers.put("cloudEvents_time", Instant.ofEpochMilli(message.recordedAtMillis()).toString());
    String key = message.key();
    if (key != null) {
      headers.put("cloudEvents_partitionkey", key);
    }
    if (message.operationId() != null) {
      headers.put(OPERATION, message.operationId());
    }
    return new AMQP.BasicProperties.Builder()
        .messageId(message.id().toString())
        .type(message.type())
        .contentType(message.contentType())
        .timestamp(Date.from(Instant.ofEpochMilli(message.recordedAtMillis())))
        .deliveryMode(PERSISTENT)
        .headers(headers)
        .build();
  }
}
