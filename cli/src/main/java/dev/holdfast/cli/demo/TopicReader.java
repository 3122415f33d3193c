package dev.holdfast.cli.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.HoldfastException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads a topic as its consumers do: {@code read_committed}, from the beginning. */
final class TopicReader implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration LONGEST_READING = Duration.ofSeconds(60);

  private final String bootstrapServers;
  private final List<TopicPartition> partitions = new ArrayList<>();
  private final Map<String, Long> firstSeenMicros = new ConcurrentHashMap<>();
  private final AtomicInteger records = new AtomicInteger();
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

  /** When each order's first record was seen. */
  Map<String, Long> firstSeenMicros() {
    return firstSeenMicros;
  }

  /** How many records were seen so far. */
  int seen() {
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
        }
      }
    }
  }

  /** Whether no transaction is open on the topic, so that a committed reading reaches the end. */
  boolean isComplete() {
    try (KafkaConsumer<String, String> committed = consumer("read_committed");
        KafkaConsumer<String, String> all = consumer("read_uncommitted")) {
      return committed.endOffsets(partitions).equals(all.endOffsets(partitions));
    }
  }

  /** Reads the topic anew; the order ids in the order of each partition. */
  List<String> readAll() {
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
    return new KafkaConsumer<>(
        Map.of(
            "bootstrap.servers",
            bootstrapServers,
            "isolation.level",
            isolation,
            "enable.auto.commit",
            false,
            "reconnect.backoff.max.ms",
            100,
            "fetch.max.wait.ms",
            50),
        new StringDeserializer(),
        new StringDeserializer());
  }

  private static String orderId(ConsumerRecord<String, String> row) {
    try {
      return JSON.readTree(row.value()).path("order").asText();
    } catch (JsonProcessingException e) {
      throw new HoldfastException(
          "A record of " + row.topic() + " is not an order: " + e.getOriginalMessage(), e);
    }
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
