package dev.holdfast.spring;

import dev.holdfast.devservices.ArtemisServer;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * One PostgreSQL and one Kafka for all tests of this JVM; schemas and topics are the test's own.
 * The broker creates no topics by itself, and lets everyone do everything to those that have no
 * access control list.
 */
final class TestServers {
  static final PostgresServer POSTGRES = PostgresServer.start();

  private static final AtomicInteger NAMES = new AtomicInteger();

  private TestServers() {}

  /** Started by the first test that delivers. */
  static final class Broker {
    static final KafkaServer KAFKA =
        KafkaServer.builder()
            .setting("auto.create.topics.enable", "false")
            .setting(
                "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
            .setting("allow.everyone.if.no.acl.found", "true")
            .start();

    private Broker() {}
  }

  /** Started by the first test that needs one; whoever kills it starts it again. */
  static final class Jms {
    static final ArtemisServer ARTEMIS = ArtemisServer.start();

    private Jms() {}
  }

  static String unique(String prefix) {
    return prefix + NAMES.incrementAndGet();
  }

  /** What a {@code read_committed} reader sees of a topic with one partition, once it is there. */
  static List<ConsumerRecord<String, String>> read(String topic, int count) {
    return read(Map.of("bootstrap.servers", Broker.KAFKA.bootstrapServers()), topic, count);
  }

  static List<ConsumerRecord<String, String>> read(
      Map<String, Object> broker, String topic, int count) {
    Map<String, Object> config = new HashMap<>(broker);
    config.put("isolation.level", "read_committed");
    config.put("auto.offset.reset", "earliest");
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(new TopicPartition(topic, 0)));
      long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (records.size() < count && System.nanoTime() < end) {
        consumer.poll(Duration.ofMillis(100)).forEach(records::add);
      }
    }
    return records;
  }
}
