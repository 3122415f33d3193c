package dev.holdfast.benchmarks;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A {@code read_committed} consumer of a topic from its beginning. Used by one thread. */
final class Reader implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(100);

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final List<TopicPartition> partitions = new ArrayList<>();

  /** For each number that has come, how often. */
  private final int[] seen;

  private final long[] highestOfKey = new long[Payload.KEYS];
  private int distinct;
  private long repeated;
  private long inverted;

  /**
   * @param numbers messages have numbers from 0, below this
   */
  Reader(String bootstrapServers, String topic, int numbers) {
    this.seen = new int[numbers];
    java.util.Arrays.fill(highestOfKey, -1);
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", bootstrapServers);
    config.put("isolation.level", "read_committed");
    config.put("auto.offset.reset", "earliest");
    config.put("enable.auto.commit", false);
    config.put("max.poll.records", 10_000);
    this.consumer =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    for (PartitionInfo partition : consumer.partitionsFor(topic)) {
      partitions.add(new TopicPartition(topic, partition.partition()));
    }
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
  }

  /** Told of every number when it is first seen. */
  interface FirstSeen {
    void seen(int number, long nanos);
  }

  /** Waits a moment for records and counts them. */
  void poll(FirstSeen listener) {
    Iterable<ConsumerRecord<byte[], byte[]>> records = consumer.poll(POLL);
    long now = Doorbell.nanos();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      int number = (int) Payload.number(record.value());
      if (seen[number]++ > 0) {
        repeated++;
        continue;
      }
      distinct++;
      int key = number % Payload.KEYS;
      if (number < highestOfKey[key]) {
        inverted++;
      }
      highestOfKey[key] = Math.max(highestOfKey[key], number);
      listener.seen(number, now);
    }
  }

  /** Whether all that is in the topic and committed has been counted. */
  boolean isAtEnd() {
    return consumer.endOffsets(partitions).entrySet().stream()
        .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
  }

  int distinct() {
    return distinct;
  }

  /**
   * @param expected how many numbers there should have been
   */
  Arrivals arrivals(int expected) {
    return new Arrivals(expected - distinct, repeated, inverted);
  }

  @Override
  public void close() {
    consumer.close();
  }
}
