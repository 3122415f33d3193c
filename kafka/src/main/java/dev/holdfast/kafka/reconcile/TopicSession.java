package dev.holdfast.kafka.reconcile;

import dev.holdfast.HoldfastException;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.reconcile.Entry;
import dev.holdfast.reconcile.EntryIndex;
import dev.holdfast.reconcile.HashRange;
import dev.holdfast.reconcile.SideSession;
import dev.holdfast.reconcile.Summary;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** What a topic has come to, kept up with. Used by one thread. */
final class TopicSession implements SideSession {
  private static final Duration POLL = Duration.ofMillis(500);

  /** For which no partition may get on. */
  private static final Duration STALLED = Duration.ofSeconds(60);

  private final TopicSide side;
  private final Consumer<byte[], byte[]> consumer;
  private final Map<TopicPartition, EntryIndex> indexes = new HashMap<>();

  private TopicSession(TopicSide side, Consumer<byte[], byte[]> consumer) {
    this.side = side;
    this.consumer = consumer;
  }

  static TopicSession open(TopicSide side) {
    Map<String, Object> config = new HashMap<>(side.config());
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    // It is no member of a group, and leaves no trace in one.
    config.remove(ConsumerConfig.GROUP_ID_CONFIG);
    Consumer<byte[], byte[]> consumer = null;
    try {
      consumer =
          new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
      TopicSession session = new TopicSession(side, consumer);
      session.assign();
      session.readOn();
      return session;
    } catch (KafkaException e) {
      close(consumer);
      throw failure(side, e);
    } catch (RuntimeException e) {
      close(consumer);
      throw e;
    }
  }

  private void assign() {
    List<PartitionInfo> partitions = consumer.partitionsFor(side.topic());
    if (partitions == null || partitions.isEmpty()) {
      throw new HoldfastException(
          "There is no topic %s, so nothing was compared. Check its name and the brokers."
              .formatted(side.topic()));
    }
    for (PartitionInfo each : partitions) {
      indexes.put(new TopicPartition(each.topic(), each.partition()), new EntryIndex());
    }
    consumer.assign(indexes.keySet());
    consumer.seekToBeginning(indexes.keySet());
  }

  private static HoldfastException failure(TopicSide side, KafkaException error) {
    if (error instanceof InterruptException) {
      Thread.currentThread().interrupt();
    }
    return new StoreUnavailable(
        "The %s cannot be read: %s. Nothing was changed since.".formatted(side, error.getMessage()),
        error);
  }

  /** To the end as it is now: of what is committed, where there are transactions. */
  private void readOn() {
    Map<TopicPartition, Long> ends = consumer.endOffsets(indexes.keySet());
    long read = 0;
    long movedAt = Doorbell.nanos();
    while (isBehind(ends)) {
      long before = positions();
      for (ConsumerRecord<byte[], byte[]> each : consumer.poll(POLL)) {
        take(each);
        read++;
      }
      if (positions() > before) {
        movedAt = Doorbell.nanos();
      } else if (Doorbell.hasPassed(STALLED, movedAt)) {
        throw new StoreUnavailable(
            "The %s has not got on for %s, after %,d records. Nothing was changed since. Check its brokers."
                .formatted(side, STALLED, read));
      }
    }
  }

  private boolean isBehind(Map<TopicPartition, Long> ends) {
    return ends.entrySet().stream()
        .anyMatch(end -> consumer.position(end.getKey()) < end.getValue());
  }

  private long positions() {
    return indexes.keySet().stream().mapToLong(consumer::position).sum();
  }

  private void take(ConsumerRecord<byte[], byte[]> message) {
    EntryIndex index = indexes.get(new TopicPartition(message.topic(), message.partition()));
    if (message.key() == null || index == null) {
      return;
    }
    String key = new String(message.key(), StandardCharsets.UTF_8);
    if (message.value() == null) {
      index.remove(key);
      return;
    }
    index.put(new Entry(key, side.versionOf(message), null));
    if (size() > side.keysAtMost()) {
      throw new HoldfastException(
          "The %s has more than %,d keys, which are kept in memory. Nothing was compared. Allow more by keysAtMost()."
              .formatted(side, side.keysAtMost()));
    }
  }

  private long size() {
    return indexes.values().stream().mapToLong(EntryIndex::size).sum();
  }

  @Override
  public Instant now() {
    return InstantSource.system().instant();
  }

  @Override
  public List<Summary> summarize(
      List<HashRange> ranges, int parts, @Nullable Instant changedBefore) {
    List<Summary> result = new ArrayList<>();
    for (EntryIndex index : indexes.values()) {
      List<Summary> some = index.summarize(ranges, parts, changedBefore);
      for (int i = 0; i < some.size(); i++) {
        if (result.size() == i) {
          result.add(some.get(i));
        } else {
          result.set(i, result.get(i).and(some.get(i)));
        }
      }
    }
    return result;
  }

  @Override
  public List<Entry> list(List<HashRange> ranges, @Nullable Instant changedBefore, int atMost) {
    List<Entry> result = new ArrayList<>();
    for (EntryIndex index : indexes.values()) {
      result.addAll(index.list(ranges, changedBefore, atMost - result.size()));
    }
    return result;
  }

  @Override
  public List<Entry> read(List<String> keys) {
    try {
      readOn();
    } catch (KafkaException e) {
      throw failure(side, e);
    }
    List<Entry> result = new ArrayList<>();
    indexes.values().forEach(index -> result.addAll(index.read(keys)));
    return result;
  }

  @Override
  public void close() {
    close(consumer);
  }

  private static void close(@Nullable Consumer<byte[], byte[]> consumer) {
    if (consumer != null) {
      try {
        consumer.close();
      } catch (InterruptException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
