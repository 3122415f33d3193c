package dev.holdfast.kafka;

import dev.holdfast.InvalidConfiguration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** The user's producer settings, and what each of our clients makes of them. Immutable. */
record Settings(
    Map<String, Object> user, boolean plain, String progressTopic, @Nullable String source) {
  private static final String DEFAULT_PROGRESS_TOPIC = "holdfast-progress";

  /** What cannot be left to the user without losing what is promised. */
  private static final Map<String, Set<String>> REQUIRED =
      Map.of(
          ProducerConfig.ACKS_CONFIG, Set.of("all", "-1"),
          ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, Set.of("true"));

  private static final Set<String> OURS =
      Set.of(
          ProducerConfig.TRANSACTIONAL_ID_CONFIG,
          ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
          ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG);

  static Settings of(Map<String, ?> producerConfig) {
    Map<String, Object> user = new HashMap<>(producerConfig);
    if (user.get(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG) == null) {
      throw new InvalidConfiguration(
          "The Kafka settings have no bootstrap.servers. Nothing was started.");
    }
    REQUIRED.forEach(
        (name, values) -> {
          Object value = user.get(name);
          if (value != null && !values.contains(value.toString().toLowerCase(Locale.ROOT))) {
            throw new InvalidConfiguration(
                "The Kafka setting %s is %s, with which messages can be lost or repeated. Nothing was started. Leave it out."
                    .formatted(name, value));
          }
        });
    for (String name : OURS) {
      if (user.containsKey(name)) {
        throw new InvalidConfiguration(
            "The Kafka setting "
                + name
                + " is Holdfast's own to set. Nothing was started. Leave it out.");
      }
    }
    Settings settings = new Settings(Map.copyOf(user), false, DEFAULT_PROGRESS_TOPIC, null);
    try {
      // Otherwise first read when a leader opens its session, and taken for an outage for ever.
      ProducerConfig.configDef().parse(settings.producer());
    } catch (ConfigException e) {
      throw new InvalidConfiguration(
          "The Kafka settings cannot be used: %s. Nothing was started.".formatted(e.getMessage()));
    }
    return settings;
  }

  String bootstrapServers() {
    return String.valueOf(user.get(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG));
  }

  int maxRequestSize() {
    Object value = user.get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG);
    return value == null ? 1_048_576 : Integer.parseInt(value.toString());
  }

  /** Without a transactional id, for the plain mode. */
  Map<String, Object> producer() {
    Map<String, Object> config = new HashMap<>();
    config.put(ProducerConfig.BATCH_SIZE_CONFIG, 256 * 1024);
    // Headers repeat from message to message; it costs less than sending them does.
    config.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
    // Full batches are sent while the rest of a page is encoded, and nobody waits for a batch that
    // is
    // not full: whatever we send, a flush or a commit follows, which sends it at once.
    config.put(ProducerConfig.LINGER_MS_CONFIG, 20);
    config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 10_000);
    config.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 1);
    config.put(ProducerConfig.RETRY_BACKOFF_MAX_MS_CONFIG, 100);
    config.put(ProducerConfig.RECONNECT_BACKOFF_MS_CONFIG, 20);
    config.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 500);
    config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
    config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 20_000);
    config.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, 30_000);
    config.putAll(user);
    config.put(ProducerConfig.ACKS_CONFIG, "all");
    config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    config.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    config.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    return config;
  }

  Map<String, Object> transactionalProducer(String transactionalId) {
    Map<String, Object> config = producer();
    config.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
    return config;
  }

  Map<String, Object> consumer() {
    Map<String, Object> config = connection();
    config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    // A fetch that finds nothing is held back for half a second unless told otherwise, and there is
    // one for every step in which the progress is looked for.
    config.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 5);
    config.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    config.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    return config;
  }

  Map<String, Object> admin() {
    return connection();
  }

  /** What says how to reach the cluster and who we are, for clients other than the producer. */
  private Map<String, Object> connection() {
    Map<String, Object> config = new HashMap<>();
    // Nobody looks at the figures of these clients, and registering them delays a takeover.
    config.put(CommonClientConfigs.METRIC_REPORTER_CLASSES_CONFIG, "");
    config.put(CommonClientConfigs.ENABLE_METRICS_PUSH_CONFIG, false);
    config.put(CommonClientConfigs.RECONNECT_BACKOFF_MS_CONFIG, 20);
    config.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 500);
    config.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
    config.put(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG, 10_000);
    user.forEach(
        (name, value) -> {
          if (isForPlugins(name)
              || name.startsWith("ssl.")
              || name.startsWith("sasl.")
              || name.equals(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG)
              || name.equals(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG)
              || name.equals(CommonClientConfigs.CLIENT_DNS_LOOKUP_CONFIG)) {
            config.put(name, value);
          }
        });
    return config;
  }

  /** What no client knows itself, such as what a class that logs in wants to be told. */
  private static boolean isForPlugins(String name) {
    return Stream.of(
            ProducerConfig.configNames(),
            ConsumerConfig.configNames(),
            AdminClientConfig.configNames())
        .noneMatch(names -> names.contains(name));
  }
}
