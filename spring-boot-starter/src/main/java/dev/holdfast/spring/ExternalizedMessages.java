package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.InvalidMessage;
import dev.holdfast.Message;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.expression.BeanFactoryResolver;
import org.springframework.expression.spel.support.StandardEvaluationContext;
import org.springframework.messaging.MessageHeaders;
import org.springframework.modulith.events.EventExternalizationConfiguration;
import org.springframework.modulith.events.RoutingTarget;
import org.springframework.modulith.events.core.EventSerializer;
import org.springframework.modulith.events.support.BrokerRouting;
import org.springframework.util.ClassUtils;

/**
 * Makes of an event the message that Spring Modulith's configuration says: routing, mapping and
 * headers in the order and with the arguments of Modulith's own externalizer for Kafka.
 * Thread-safe.
 */
final class ExternalizedMessages {
  private static final boolean MESSAGING =
      ClassUtils.isPresent(
          "org.springframework.messaging.Message", ExternalizedMessages.class.getClassLoader());

  /** What spring-kafka sends as a tombstone. */
  private static final String KAFKA_NULL = "org.springframework.kafka.support.KafkaNull";

  private static final String KAFKA_PREFIX = "kafka_";
  private static final String KAFKA_TOPIC = "kafka_topic";
  private static final String KAFKA_KEY = "kafka_messageKey";

  private final EventExternalizationConfiguration configuration;
  private final ObjectProvider<EventSerializer> serializers;
  private final StandardEvaluationContext context = new StandardEvaluationContext();

  ExternalizedMessages(
      EventExternalizationConfiguration configuration,
      ObjectProvider<EventSerializer> serializers,
      BeanFactory beans) {
    this.configuration = configuration;
    this.serializers = serializers;
    context.setBeanResolver(new BeanFactoryResolver(beans));
  }

  boolean supports(Object event) {
    return configuration.supports(event);
  }

  Message of(Object event) {
    RoutingTarget target = configuration.determineTarget(event);
    Object mapped = configuration.map(event);
    BrokerRouting routing = BrokerRouting.of(target, context);
    // Sorted, so that one event always makes the same message.
    Map<String, Object> headers = new TreeMap<>();
    Object payload = mapped;
    if (MESSAGING && mapped instanceof org.springframework.messaging.Message<?> message) {
      headers.putAll(message.getHeaders());
      headers.remove(MessageHeaders.ID);
      headers.remove(MessageHeaders.TIMESTAMP);
      payload = message.getPayload();
    } else {
      headers.putAll(configuration.getHeadersFor(mapped));
    }
    String topic = text(headers.remove(KAFKA_TOPIC));
    Message.Builder builder = Message.to(topic == null ? routing.getTarget(mapped) : topic);
    String key = text(headers.remove(KAFKA_KEY));
    if (key == null && target.getKey() != null) {
      key = routing.getKey(mapped);
    }
    if (key != null) {
      builder.key(key);
    }
    addPayload(builder, payload, contentType(headers));
    addHeaders(builder, headers);
    return builder.build();
  }

  private static @Nullable String contentType(Map<String, Object> headers) {
    String messaging = text(headers.remove("contentType"));
    String cloudEvents = text(headers.remove("content-type"));
    return cloudEvents == null ? messaging : cloudEvents;
  }

  private void addPayload(Message.Builder builder, Object payload, @Nullable String contentType) {
    if (payload.getClass().getName().equals(KAFKA_NULL)) {
      return;
    }
    Object serialized = payload instanceof byte[] ? payload : serializer().serialize(payload);
    if (serialized instanceof byte[] bytes) {
      builder.payload(contentType == null ? "application/octet-stream" : contentType, bytes);
    } else if (serialized instanceof String json) {
      builder.payload(
          contentType == null ? "application/json" : contentType,
          json.getBytes(StandardCharsets.UTF_8));
    } else {
      throw new InvalidMessage(
          "The EventSerializer made neither a String nor a byte[] of "
              + payload.getClass().getName()
              + ", so the event was not recorded. Have it make one of them.");
    }
  }

  private EventSerializer serializer() {
    EventSerializer serializer = serializers.getIfAvailable();
    if (serializer == null) {
      throw new InvalidConfiguration(
          "There is no EventSerializer, so the event was not recorded. Add"
              + " org.springframework.modulith:spring-modulith-events-jackson, declare a bean of"
              + " that type, or map events to byte[].");
    }
    return serializer;
  }

  private static void addHeaders(Message.Builder builder, Map<String, Object> headers) {
    headers.forEach(
        (name, value) -> {
          String text = text(value);
          if (text == null) {
            return;
          }
          switch (name) {
            case "ce_id" -> builder.id(uuid(text));
            case "ce_type" -> builder.type(text);
            default -> {
              if (name.startsWith(KAFKA_PREFIX)) {
                throw new InvalidMessage(
                    "The header %s is not for a message whose record the relay makes, so the event was not recorded. Of these only %s and %s are taken."
                        .formatted(name, KAFKA_TOPIC, KAFKA_KEY));
              }
              builder.header(name, text);
            }
          }
        });
  }

  private static UUID uuid(String text) {
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException e) {
      throw new InvalidMessage(
          "The header ce_id is no UUID, so the event was not recorded. Make it one, or leave it out"
              + " for a random one.",
          e);
    }
  }

  private static @Nullable String text(@Nullable Object value) {
    if (value == null) {
      return null;
    }
    return value instanceof byte[] bytes
        ? new String(bytes, StandardCharsets.UTF_8)
        : value.toString();
  }
}
