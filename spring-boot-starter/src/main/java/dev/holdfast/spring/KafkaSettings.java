package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * The producer's settings of the application: those of {@code spring.kafka.*} as its {@code
 * ProducerFactory} resolved them, with addresses, TLS and credentials, and a channel's own over
 * them.
 */
@FunctionalInterface
interface KafkaSettings {
  /**
   * What concerns the application's own template, and Holdfast sets itself. A template that sends
   * with {@code acks=1} must not keep Holdfast from starting, nor Holdfast send like it.
   */
  Set<String> THE_TEMPLATES =
      Set.of(
          ProducerConfig.ACKS_CONFIG,
          ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG,
          ProducerConfig.TRANSACTIONAL_ID_CONFIG,
          ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
          ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG);

  /** What the application has, or nothing when it has none. */
  Map<String, Object> shared();

  default Map<String, Object> of(String channel, Map<String, String> own) {
    Map<String, Object> settings = new HashMap<>(shared());
    THE_TEMPLATES.forEach(settings::remove);
    Object client = settings.get(ProducerConfig.CLIENT_ID_CONFIG);
    if (client != null) {
      // Two clients of one id would register their figures under one name.
      settings.put(ProducerConfig.CLIENT_ID_CONFIG, client + "-holdfast-" + channel);
    }
    settings.putAll(own);
    if (settings.get(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG) == null) {
      throw new InvalidConfiguration(
          "Channel %s delivers to Kafka, and its address is not known: there is no ProducerFactory, which spring-kafka makes of spring.kafka.*. Nothing was started. Add spring-kafka, or set holdfast.channels.%s.properties.bootstrap.servers."
              .formatted(channel, channel));
    }
    return settings;
  }
}
