package dev.holdfast.crashtest.resource;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** What of a broker shows that something has happened there. */
final class KafkaLooks {
  private KafkaLooks() {}

  /** The ends of topics: they grow with each record, and with each end of a transaction. */
  static KafkaAnswers.Look ends(KafkaBroker broker, Collection<String> topics) {
    return ends(broker, topics, "read_uncommitted");
  }

  /** The ends of what is decided: they grow with the end of a transaction alone. */
  static KafkaAnswers.Look decidedEnds(KafkaBroker broker, Collection<String> topics) {
    return ends(broker, topics, "read_committed");
  }

  private static KafkaAnswers.Look ends(
      KafkaBroker broker, Collection<String> topics, String isolation) {
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", broker.direct(), "isolation.level", isolation),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    List<TopicPartition> partitions =
        topics.stream()
            .flatMap(topic -> consumer.partitionsFor(topic).stream())
            .map(info -> new TopicPartition(info.topic(), info.partition()))
            .toList();
    return new KafkaAnswers.Look() {
      @Override
      public Object now() {
        return consumer.endOffsets(partitions);
      }

      @Override
      public void close() {
        consumer.close();
      }
    };
  }

  /** The committed offsets of a group. */
  static KafkaAnswers.Look offsets(KafkaBroker broker, String group) {
    Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", broker.direct()));
    return new KafkaAnswers.Look() {
      @Override
      public Object now() {
        try {
          return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IllegalStateException("Interrupted while watching group " + group, e);
        } catch (ExecutionException e) {
          throw new IllegalStateException("Group " + group + " cannot be watched", e);
        }
      }

      @Override
      public void close() {
        admin.close();
      }
    };
  }
}
