package dev.holdfast.spring;

import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** Records of Kafka that were polled together, for a method that takes them all at once. */
final class KafkaBatches implements MessageKind<List<ConsumerRecord<byte[], byte[]>>> {
  static final KafkaBatches KIND = new KafkaBatches();

  private KafkaBatches() {}

  @Override
  public Class<? super List<ConsumerRecord<byte[], byte[]>>> type() {
    return List.class;
  }

  @Override
  public String typeName() {
    return "List<ConsumerRecord<byte[], byte[]>>";
  }

  @Override
  public boolean areSeveral() {
    return true;
  }

  @Override
  public byte @Nullable [] payload(List<ConsumerRecord<byte[], byte[]>> messages) {
    throw new IllegalStateException("a batch has no payload");
  }

  @Override
  public @Nullable Object header(List<ConsumerRecord<byte[], byte[]>> messages, String name) {
    throw new IllegalStateException("a batch has no headers");
  }
}
