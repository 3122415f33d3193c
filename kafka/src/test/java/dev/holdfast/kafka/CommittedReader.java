package dev.holdfast.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * What a {@code read_committed} reader has seen of some topics, in the order of each partition.
 * Reads on from where it was, so that a test may look as often as it likes.
 */
final class CommittedReader implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(20);

  private final KafkaConsumer<String, String> consumer;
  private final List<TopicPartition> partitions = new ArrayList<>();
  private final Map<String, List<ConsumerRecord<String, String>>> seen = new HashMap<>();

  CommittedReader(String bootstrapServers) {
    this.consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers", bootstrapServers,
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest",
                "enable.auto.commit", "false",
                "fetch.max.wait.ms", "5"),
            new StringDeserializer(),
            new StringDeserializer());
  }

  /** Everything that is committed in the topic now. */
  synchronized List<ConsumerRecord<String, String>> read(String topic) {
    if (!seen.containsKey(topic)) {
      List<TopicPartition> added =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      seen.put(topic, new ArrayList<>());
      partitions.addAll(added);
      consumer.assign(partitions);
      consumer.seekToBeginning(added);
    }
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.getOrDefault(p, 0L))) {
      for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
        seen.computeIfAbsent(record.topic(), name -> new ArrayList<>()).add(record);
      }
    }
    return List.copyOf(seen.getOrDefault(topic, List.of()));
  }

  @Override
  public synchronized void close() {
    consumer.close();
  }
}
