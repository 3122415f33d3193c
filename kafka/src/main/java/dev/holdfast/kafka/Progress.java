package dev.holdfast.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * The progress record of one scope, the newest under its key in a compacted topic.
 *
 * <p>It is looked for from the end backwards, since the part not compacted yet may be long, and up
 * to the high watermark taken at the start: a {@code read_committed} reader that merely reads "to
 * the end" stops before another channel's open transaction and could miss a record behind it. The
 * partition follows from the scope, so that channels seldom share one. Used by one thread.
 */
final class Progress implements AutoCloseable {
  private static final int PARTITIONS = 16;
  private static final long FIRST_LOOK = 64;
  private static final Duration LONGEST_READ = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(100);

  private final Settings settings;
  private final String scope;
  private final Admin admin;
  private final KafkaConsumer<byte[], byte[]> consumer;

  /**
   * @param admin stays open when this is closed
   */
  Progress(Settings settings, String scope, Admin admin) {
    this.settings = settings;
    this.scope = scope;
    this.admin = admin;
    this.consumer = new KafkaConsumer<>(settings.consumer());
  }

  /** How far to read. */
  enum UpTo {
    /** What is decided already: waits for nobody, and may miss the record committed last. */
    LAST_STABLE,
    /** Everything written so far: waits for open transactions, of which ours must not be one. */
    HIGH_WATERMARK
  }

  /** The newest committed record, creating the topic when it is missing. */
  Optional<String> read(UpTo upTo) {
    int partitions = partitions();
    if (partitions == 0) {
      create();
      return Optional.empty();
    }
    TopicPartition home = partition(settings.progressTopic(), scope, partitions);
    @Nullable String found = last(home, upTo);
    // Someone may have added partitions since it was written.
    for (int i = 0; found == null && i < partitions; i++) {
      if (i != home.partition()) {
        found = last(new TopicPartition(settings.progressTopic(), i), upTo);
      }
    }
    return Optional.ofNullable(found);
  }

  static TopicPartition partition(String topic, String scope, int partitions) {
    return new TopicPartition(
        topic, Utils.toPositive(Utils.murmur2(scope.getBytes(UTF_8))) % partitions);
  }

  private int partitions() {
    List<PartitionInfo> infos = consumer.partitionsFor(settings.progressTopic());
    return infos == null ? 0 : infos.size();
  }

  private void create() {
    NewTopic topic =
        new NewTopic(settings.progressTopic(), Optional.of(PARTITIONS), Optional.empty())
            .configs(
                Map.of(
                    "cleanup.policy", "compact",
                    "segment.bytes", Integer.toString(16 * 1024 * 1024),
                    "min.cleanable.dirty.ratio", "0.1"));
    try {
      Topics.await(admin.createTopics(List.of(topic)).all());
    } catch (TopicExistsException e) {
      // another channel was first
    }
  }

  private @Nullable String last(TopicPartition partition, UpTo upTo) {
    consumer.assign(List.of(partition));
    long begin = offset(partition, OffsetSpec.earliest());
    long end =
        upTo == UpTo.HIGH_WATERMARK
            ? offset(partition, OffsetSpec.latest())
            : consumer.endOffsets(List.of(partition)).getOrDefault(partition, begin);
    for (long back = FIRST_LOOK; ; back *= 16) {
      long from = Math.max(begin, end - back);
      String found = lastBetween(partition, from, end);
      if (found != null || from == begin) {
        return found;
      }
    }
  }

  /** By the admin client, which answers with the high watermark; the consumer's end is lower. */
  private long offset(TopicPartition partition, OffsetSpec spec) {
    Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
    wanted.put(partition, spec);
    KafkaFuture<ListOffsetsResultInfo> future =
        admin.listOffsets(wanted).partitionResult(partition);
    return Topics.await(future).offset();
  }

  private @Nullable String lastBetween(TopicPartition partition, long from, long end) {
    consumer.seek(partition, from);
    long started = Doorbell.nanos();
    byte[] key = scope.getBytes(UTF_8);
    @Nullable String found = null;
    while (consumer.position(partition) < end) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL).records(partition)) {
        if (record.offset() < end && Arrays.equals(key, record.key()) && record.value() != null) {
          found = new String(record.value(), UTF_8);
        }
      }
      if (Doorbell.hasPassed(LONGEST_READ, started)) {
        throw new TimeoutException(
            "the progress topic could not be read to its end within "
                + LONGEST_READ
                + "; another channel's transaction may be hanging");
      }
    }
    return found;
  }

  @Override
  public void close() {
    consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ZERO));
  }
}
