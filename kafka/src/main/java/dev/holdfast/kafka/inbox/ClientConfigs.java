package dev.holdfast.kafka.inbox;

import dev.holdfast.InvalidConfiguration;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** What each client is given of the user's settings. */
record ClientConfigs(Map<String, Object> consumer, Map<String, Object> admin) {
  /** What would lose or repeat effects if it were set otherwise. */
  private static final Map<String, Object> REQUIRED =
      Map.of(
          ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
          false,
          ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
          "none",
          ConsumerConfig.ISOLATION_LEVEL_CONFIG,
          "read_committed",
          ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG,
          false);

  static ClientConfigs of(String consumer, Map<String, ?> user) {
    if (user.get(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG) == null) {
      throw new InvalidConfiguration(
          "The Kafka settings have no bootstrap.servers. Nothing was started.");
    }
    Map<String, Object> config = new HashMap<>(user);
    set(config, ConsumerConfig.GROUP_ID_CONFIG, consumer);
    REQUIRED.forEach((name, value) -> set(config, name, value));
    set(config, ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    set(config, ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    try {
      ConsumerConfig.configDef().parse(config);
    } catch (ConfigException e) {
      throw new InvalidConfiguration(
          "The Kafka settings cannot be used: %s. Nothing was started.".formatted(e.getMessage()));
    }
    Map<String, Object> admin = new HashMap<>();
    user.forEach(
        (name, value) -> {
          boolean foreign =
              Stream.of(ProducerConfig.configNames(), ConsumerConfig.configNames())
                  .anyMatch(names -> names.contains(name));
          if (AdminClientConfig.configNames().contains(name) || !foreign) {
            admin.put(name, value);
          }
        });
    return new ClientConfigs(Map.copyOf(config), Map.copyOf(admin));
  }

  private static void set(Map<String, Object> config, String name, Object value) {
    Object before = config.put(name, value);
    if (before != null && !before.toString().equals(value.toString()) && !before.equals(value)) {
      throw new InvalidConfiguration(
          "The Kafka setting %s is Holdfast's own to set, to %s, and is %s. Nothing was started. Leave it out."
              .formatted(name, value instanceof Class<?> type ? type.getName() : value, before));
    }
  }
}
