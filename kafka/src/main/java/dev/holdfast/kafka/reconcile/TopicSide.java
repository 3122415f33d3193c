package dev.holdfast.kafka.reconcile;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.reconcile.Side;
import dev.holdfast.reconcile.SideSession;
import dev.holdfast.reconcile.Versions;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * A compacted topic as one side: of each key, the last value that is committed, or nothing where
 * that is a tombstone. Immutable and thread-safe.
 *
 * <p>A run reads the topic once, from its beginning to the end at that moment, and keeps keys and
 * versions, not values; before it looks again it reads what has come since. A key that has values
 * in two partitions, as after their number was changed, is a duplicate. Records without a key are
 * left out.
 *
 * <p>Nothing is written with an expected version there, so there is no repair beside the outbox:
 * publish the rows again, in their own transactions.
 */
public final class TopicSide implements Side {
  private final Map<String, Object> config;
  private final String topic;
  private final Versions versions;
  private final Function<ConsumerRecord<byte[], byte[]>, String> version;
  private final int keysAtMost;

  private TopicSide(
      Map<String, Object> config,
      String topic,
      Versions versions,
      Function<ConsumerRecord<byte[], byte[]>, String> version,
      int keysAtMost) {
    this.config = config;
    this.topic = topic;
    this.versions = versions;
    this.version = version;
    this.keysAtMost = keysAtMost;
  }

  /**
   * A topic by the content of its values: the version is the MD5 of a value's bytes in hexadecimal,
   * as {@code md5(value)} is in SQL.
   *
   * @param consumerConfig settings of the Kafka consumer, {@code bootstrap.servers} at least
   */
  public static TopicSide of(Map<String, ?> consumerConfig, String topic) {
    if (!consumerConfig.containsKey("bootstrap.servers")) {
      throw new InvalidConfiguration(
          "The consumer's settings for topic %s have no bootstrap.servers. Nothing was started."
              .formatted(topic));
    }
    return new TopicSide(
        Map.copyOf(consumerConfig), topic, Versions.OPAQUE, TopicSide::hash, 5_000_000);
  }

  /** By a header that has a whole number as text, which rises with every change. */
  public TopicSide versionHeader(String name) {
    return version(
        Versions.NUMBERS,
        message -> {
          Header header = message.headers().lastHeader(name);
          return header == null || header.value() == null
              ? ""
              : new String(header.value(), StandardCharsets.UTF_8);
        });
  }

  /**
   * By what a record says.
   *
   * @param version of a record with a value; has no effects
   */
  public TopicSide version(
      Versions kind, Function<ConsumerRecord<byte[], byte[]>, String> version) {
    return new TopicSide(config, topic, kind, version, keysAtMost);
  }

  /**
   * How many keys are kept in memory, some 200 bytes each; 1 to 100,000,000, default 5,000,000. A
   * topic with more ends the run.
   */
  public TopicSide keysAtMost(int value) {
    if (value < 1 || value > 100_000_000) {
      throw new InvalidConfiguration(
          "keysAtMost of topic %s is %,d, and must be 1 to 100,000,000. Nothing was started."
              .formatted(topic, value));
    }
    return new TopicSide(config, topic, versions, version, value);
  }

  private static String hash(ConsumerRecord<byte[], byte[]> message) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(message.value()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }

  Map<String, Object> config() {
    return config;
  }

  String topic() {
    return topic;
  }

  int keysAtMost() {
    return keysAtMost;
  }

  String versionOf(ConsumerRecord<byte[], byte[]> message) {
    return version.apply(message);
  }

  @Override
  public String description() {
    return "topic " + topic;
  }

  @Override
  public Versions versions() {
    return versions;
  }

  /** No: a record's time is not that of the change. */
  @Override
  public boolean knowsChanges() {
    return false;
  }

  @Override
  public SideSession open() {
    return TopicSession.open(this);
  }

  @Override
  public String toString() {
    return description();
  }
}
