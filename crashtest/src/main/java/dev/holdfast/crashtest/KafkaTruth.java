package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Problem;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * A Kafka cluster, asked by a {@code read_committed} consumer of the lab's own. It reads on from
 * where it was: topics only grow, other than in a drill.
 */
final class KafkaTruth implements Truth {
  private static final Duration DELAY = Duration.ofMillis(500);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final Duration READ = Duration.ofSeconds(10);

  private final String bootstrapServers;
  private final Map<String, List<ConsumerRecord<byte[], byte[]>>> read = new HashMap<>();
  private final Map<TopicPartition, Long> next = new HashMap<>();
  private @Nullable KafkaConsumer<byte[], byte[]> consumer;

  KafkaTruth(String bootstrapServers) {
    this.bootstrapServers = bootstrapServers;
  }

  @Override
  public void begin() {
    read.clear();
    next.clear();
  }

  @Override
  public void lookAnew() {
    close();
    read.values().forEach(List::clear);
    next.clear();
  }

  @Override
  public Duration delay() {
    return DELAY;
  }

  /** The values of the records with this key that came since the topic was first asked for. */
  List<String> records(String topic, String key) {
    try {
      readOn(topic);
    } catch (KafkaException e) {
      close();
      begin();
      throw new CrashLabException(
          Problem.Kind.CANNOT_LOOK,
          "Topic %s cannot be read at %s, so the run says nothing: %s"
              .formatted(topic, bootstrapServers, e.getMessage()),
          e);
    }
    List<String> values = new ArrayList<>();
    for (ConsumerRecord<byte[], byte[]> record : read.getOrDefault(topic, List.of())) {
      if (record.key() != null && key.equals(text(record.key()))) {
        values.add(record.value() == null ? "null" : text(record.value()));
      }
    }
    return values;
  }

  private void readOn(String topic) {
    KafkaConsumer<byte[], byte[]> reader = reader();
    List<TopicPartition> partitions = new ArrayList<>();
    for (PartitionInfo info : reader.partitionsFor(topic)) {
      partitions.add(new TopicPartition(topic, info.partition()));
    }
    if (partitions.isEmpty()) {
      throw new CrashLabException(
          Problem.Kind.CANNOT_LOOK, "There is no topic " + topic + ". Create it before the test.");
    }
    Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
    if (!read.containsKey(topic)) {
      read.put(topic, new ArrayList<>());
      next.putAll(ends);
      return;
    }
    if (partitions.stream().allMatch(partition -> reached(partition, ends))) {
      return;
    }
    reader.assign(partitions);
    partitions.forEach(partition -> reader.seek(partition, next.getOrDefault(partition, 0L)));
    Await clock = Await.begin();
    while (!partitions.stream().allMatch(partition -> reached(partition, ends))) {
      if (clock.isOver(READ)) {
        throw new CrashLabException(
            Problem.Kind.CANNOT_LOOK,
            "Topic " + topic + " could not be read to its end in " + Words.of(READ) + ".");
      }
      reader.poll(POLL).forEach(record -> read.getOrDefault(topic, new ArrayList<>()).add(record));
      partitions.forEach(partition -> next.put(partition, reader.position(partition)));
    }
  }

  private boolean reached(TopicPartition partition, Map<TopicPartition, Long> ends) {
    return next.getOrDefault(partition, 0L) >= ends.getOrDefault(partition, 0L);
  }

  private KafkaConsumer<byte[], byte[]> reader() {
    KafkaConsumer<byte[], byte[]> current = consumer;
    if (current == null) {
      current =
          new KafkaConsumer<>(
              Map.of(
                  "bootstrap.servers",
                  bootstrapServers,
                  "isolation.level",
                  "read_committed",
                  "auto.offset.reset",
                  "none",
                  // By default a reader that is at the end is answered after half a second.
                  "fetch.max.wait.ms",
                  "5"),
              new ByteArrayDeserializer(),
              new ByteArrayDeserializer());
      consumer = current;
    }
    return current;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    KafkaConsumer<byte[], byte[]> current = consumer;
    consumer = null;
    if (current != null) {
      current.close();
    }
  }
}
