package dev.holdfast.cli.demo;

import dev.holdfast.HoldfastException;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads a topic as its consumers do: {@code read_committed}, from the beginning. */
final class TopicReader implements Arrivals {
  private static final Duration LONGEST_READING = Duration.ofSeconds(60);

  private final String bootstrapServers;
  private final List<TopicPartition> partitions = new ArrayList<>();
  private final Map<String, Long> firstSeenMicros = new ConcurrentHashMap<>();
  private final AtomicInteger records = new AtomicInteger();
  private final Map<TopicPartition, Long> behindLast = new ConcurrentHashMap<>();
  private final Map<TopicPartition, Long> positions = new ConcurrentHashMap<>();
  private final Thread thread;
  private volatile boolean closed;

  /** Begins to watch, to know when each order's first record became visible. */
  TopicReader(String bootstrapServers, String topic, int partitionCount) {
    this.bootstrapServers = bootstrapServers;
    for (int partition = 0; partition < partitionCount; partition++) {
      partitions.add(new TopicPartition(topic, partition));
    }
    this.thread = new Thread(this::watch, "watch-" + topic);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public Map<String, Long> firstSeenMicros() {
    return firstSeenMicros;
  }

  @Override
  public int seen() {
    return records.get();
  }

  private void watch() {
    try (KafkaConsumer<String, String> consumer = consumer("read_committed")) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (!closed) {
        for (ConsumerRecord<String, String> row : consumer.poll(Duration.ofMillis(100))) {
          long now = Timing.micros(Timing.now());
          firstSeenMicros.putIfAbsent(orderId(row), now);
          records.incrementAndGet();
          behindLast.put(new TopicPartition(row.topic(), row.partition()), row.offset() + 1);
        }
        for (TopicPartition partition : partitions) {
          positions.put(partition, consumer.position(partition));
        }
      }
    }
  }

  /** Whether no transaction is open on the topic, and its watcher has come to the end. */
  @Override
  public boolean isComplete(int orders) {
    try (KafkaConsumer<String, String> committed = consumer("read_committed");
        KafkaConsumer<String, String> all = consumer("read_uncommitted")) {
      Map<TopicPartition, Long> ends = committed.endOffsets(partitions);
      return ends.equals(all.endOffsets(partitions)) && ends.equals(positions);
    }
  }

  /** Whether a group has committed that it is done with every record that was seen. */
  boolean isAcknowledgedBy(String group) {
    try (KafkaConsumer<String, String> member = consumer(Map.of("group.id", group))) {
      Map<TopicPartition, OffsetAndMetadata> committed =
          member.committed(new HashSet<>(partitions));
      return behindLast.entrySet().stream()
          .allMatch(
              last -> {
                OffsetAndMetadata next = committed.get(last.getKey());
                return next != null && next.offset() >= last.getValue();
              });
    }
  }

  /** Reads the topic anew; in the order of each partition. */
  @Override
  public List<String> orderIds() {
    List<String> ids = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer = consumer("read_committed")) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      Timing.Stopwatch reading = Timing.start();
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        if (reading.hasPassed(LONGEST_READING)) {
          throw new HoldfastException(
              "The topic could not be read to its end within %d s, so nothing was counted. Run the demo again."
                  .formatted(LONGEST_READING.toSeconds()));
        }
        consumer.poll(Duration.ofMillis(200)).forEach(row -> ids.add(orderId(row)));
      }
    }
    return ids;
  }

  private KafkaConsumer<String, String> consumer(String isolation) {
    return consumer(Map.of("isolation.level", isolation));
  }

  private KafkaConsumer<String, String> consumer(Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(more);
    config.put("bootstrap.servers", bootstrapServers);
    config.put("enable.auto.commit", false);
    config.put("reconnect.backoff.max.ms", 100);
    config.put("fetch.max.wait.ms", 50);
    return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
  }

  private static String orderId(ConsumerRecord<String, String> row) {
    return OrderMessage.parse(row.value()).order();
  }

  @Override
  public Optional<CheckoutVerdict> checkouts(Connection orders) {
    return Optional.empty();
  }

  @Override
  public Optional<IndexVerdict> index(Connection orders) {
    return Optional.empty();
  }

  @Override
  public void close() {
    closed = true;
    try {
      thread.join(Duration.ofSeconds(5).toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
