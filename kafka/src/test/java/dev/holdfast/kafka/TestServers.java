package dev.holdfast.kafka;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * One PostgreSQL and one Kafka for all tests of this JVM; schemas and topics are the test's own.
 */
final class TestServers {
  static final PostgresServer POSTGRES = PostgresServer.start();

  /**
   * Looks for transactions that have lasted too long more often than every ten seconds. Whoever
   * wants to cut the network of a process reaches it through a relay.
   */
  static final KafkaServer KAFKA =
      KafkaServer.builder()
          .relayed()
          .setting("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500")
          .start();

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
    try (CommittedReader reader = new CommittedReader(KAFKA.bootstrapServers())) {
      return reader.read(topic);
    }
  }
}
