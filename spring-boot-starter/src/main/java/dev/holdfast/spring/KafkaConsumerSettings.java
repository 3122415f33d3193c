package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/**
 * The consumer's settings of the application: those of {@code spring.kafka.*} as its {@code
 * ConsumerFactory} resolved them, with addresses, TLS and credentials, and a consumer's own over
 * them.
 */
@FunctionalInterface
interface KafkaConsumerSettings {
  /** What concerns the application's own listeners, and Holdfast sets itself. */
  Set<String> THE_LISTENERS =
      Set.of(
          ConsumerConfig.GROUP_ID_CONFIG,
          ConsumerConfig.GROUP_INSTANCE_ID_CONFIG,
          ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG,
          ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG,
          ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
          ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
          ConsumerConfig.ISOLATION_LEVEL_CONFIG,
          ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG);

  /** What the application has, or nothing when it has none. */
  Map<String, Object> shared();

  /**
   * @param number of the consumer's threads in this process, from 0
   */
  default Map<String, Object> of(String consumer, int number, Map<String, String> own) {
    Map<String, Object> settings = new HashMap<>(shared());
    THE_LISTENERS.forEach(settings::remove);
    settings.putAll(own);
    Object client = settings.get(ConsumerConfig.CLIENT_ID_CONFIG);
    if (client != null) {
      // Two clients of one id would register their figures under one name.
      settings.put(
          ConsumerConfig.CLIENT_ID_CONFIG, client + "-holdfast-" + consumer + "-" + number);
    }
    if (settings.get(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG) == null) {
      throw new InvalidConfiguration(
          "The consumer %s reads from Kafka, and its address is not known: there is no ConsumerFactory, which spring-kafka makes of spring.kafka.*. Nothing was started. Add spring-kafka, or set holdfast.consumers.%s.properties.bootstrap.servers."
              .formatted(consumer, consumer));
    }
    return settings;
  }
}
