package dev.holdfast.spring;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a listener method may take of a message, of one kind of broker. Thread-safe.
 *
 * @param <M> a message as the broker's client has it
 */
interface MessageKind<M> {
  /**
   * What listeners of others are given, and is no payload; by name, since not all need be there.
   */
  Set<String> NO_PAYLOADS =
      Set.of(
          "com.rabbitmq.client.Channel",
          "jakarta.jms.Session",
          "org.apache.kafka.clients.consumer.Consumer",
          "org.apache.kafka.clients.consumer.ConsumerRecords",
          "org.springframework.kafka.support.Acknowledgment",
          "org.springframework.messaging.MessageHeaders",
          "org.apache.kafka.clients.consumer.ConsumerRecord",
          "jakarta.jms.Message",
          "jakarta.jms.TextMessage",
          "jakarta.jms.BytesMessage",
          "jakarta.jms.MapMessage",
          "jakarta.jms.StreamMessage",
          "jakarta.jms.ObjectMessage",
          "com.rabbitmq.client.Delivery",
          "org.springframework.messaging.Message",
          "org.springframework.amqp.core.Message");

  /** The client's type. */
  Class<? super M> type();

  /** How the type is written in a parameter. */
  String typeName();

  /** Whether it is several, of which none has a payload or headers for itself. */
  default boolean areSeveral() {
    return false;
  }

  /** {@code null} where there is none. */
  byte @Nullable [] payload(M message);

  /** A {@code byte[]}, or what its {@code toString} is the header's text; {@code null} for none. */
  @Nullable Object header(M message, String name);
}
