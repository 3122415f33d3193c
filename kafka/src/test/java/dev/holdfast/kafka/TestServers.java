package dev.holdfast.kafka;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * One PostgreSQL and one Kafka for all tests of this JVM; schemas and topics are the test's own.
 */
final class TestServers {
  static final PostgresServer POSTGRES = PostgresServer.start();
  static final KafkaServer KAFKA = KafkaServer.start();
  private static final AtomicInteger NAMES = new AtomicInteger();

  private TestServers() {}

  static String unique(String prefix) {
    return prefix + NAMES.incrementAndGet();
  }

  static HikariDataSource pool(String url) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(24);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(5_000);
    return new HikariDataSource(config);
  }

  static KafkaTarget target() {
    return Kafka.to(Map.of("bootstrap.servers", KAFKA.bootstrapServers()));
  }

  /**
   * Everything in a topic that a {@code read_committed} reader sees now, partition by partition.
   */
  static List<ConsumerRecord<String, String>> readCommitted(String topic) {
    Map<String, Object> config =
        Map.of(
            "bootstrap.servers",
            KAFKA.bootstrapServers(),
            "isolation.level",
            "read_committed",
            "auto.offset.reset",
            "earliest");
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.getOrDefault(p, 0L))) {
        consumer.poll(Duration.ofMillis(50)).forEach(records::add);
      }
    }
    return records;
  }
}
