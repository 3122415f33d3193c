package dev.holdfast.jms;

import dev.holdfast.outbox.store.OutboxRecord;
import jakarta.jms.BytesMessage;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.Session;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Messages as JMS messages, with the attributes of CloudEvents under the names that the <a
 * href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md">AMQP
 * binding</a> has for users of JMS ({@code cloudEvents_}). Immutable.
 */
final class Encoder {
  static final String ID = "cloudEvents_id";
  static final String OPERATION = "cloudEvents_operationid";

  /** By which Artemis tells repeats. */
  static final String ARTEMIS_DUPLICATE_ID = "_AMQ_DUPL_ID";

  private final String source;
  private final int groups;
  private final boolean deduplicated;

  Encoder(JmsTarget.Settings settings, String channel) {
    String given = settings.source();
    this.source = given == null ? "/holdfast/" + channel : given;
    this.groups = settings.groups();
    this.deduplicated = settings.deduplication() != null;
  }

  Message encode(OutboxRecord message, Session session) throws JMSException {
    Message encoded = body(message.payload(), session);
    // First, so that nothing of the application's own takes the place of what follows.
    for (Map.Entry<String, String> own : message.headers().entrySet()) {
      encoded.setStringProperty(PropertyNames.of(own.getKey()), own.getValue());
    }
    String id = message.id().toString();
    encoded.setJMSType(message.type());
    encoded.setStringProperty("cloudEvents_specversion", "1.0");
    encoded.setStringProperty(ID, id);
    encoded.setStringProperty("cloudEvents_source", source);
    encoded.setStringProperty("cloudEvents_type", message.type());
    encoded.setStringProperty(
        "cloudEvents_time", Instant.ofEpochMilli(message.recordedAtMillis()).toString());
    encoded.setStringProperty("cloudEvents_datacontenttype", message.contentType());
    String key = message.key();
    if (key != null) {
      encoded.setStringProperty("cloudEvents_partitionkey", key);
      if (groups > 0) {
        encoded.setStringProperty(
            "JMSXGroupID", Integer.toString(Math.floorMod(key.hashCode(), groups)));
      }
    }
    if (message.operationId() != null) {
      encoded.setStringProperty(OPERATION, message.operationId());
    }
    if (deduplicated) {
      encoded.setStringProperty(ARTEMIS_DUPLICATE_ID, id);
    }
    return encoded;
  }

  /** No payload is no body, and not an empty one. */
  private static Message body(byte @Nullable [] payload, Session session) throws JMSException {
    if (payload == null) {
      return session.createMessage();
    }
    BytesMessage message = session.createBytesMessage();
    message.writeBytes(payload);
    return message;
  }
}
