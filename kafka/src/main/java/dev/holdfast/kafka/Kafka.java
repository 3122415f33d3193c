package dev.holdfast.kafka;

import java.util.Map;

/** The entry point for Kafka: {@code Kafka.to(producerConfig)} is a channel's target. */
public final class Kafka {
  private Kafka() {}

  /**
   * Delivers to the topics of the same names.
   *
   * @param producerConfig settings of the Kafka producer, {@code bootstrap.servers} at least; TLS
   *     and SASL pass through to all clients. Holdfast sets serializers, {@code acks}, idempotence
   *     and {@code transactional.id} itself.
   * @throws dev.holdfast.InvalidConfiguration when {@code bootstrap.servers} is missing, or a
   *     setting that Holdfast needs is set otherwise
   */
  public static KafkaTarget to(Map<String, ?> producerConfig) {
    return new KafkaTarget(Settings.of(producerConfig));
  }
}
