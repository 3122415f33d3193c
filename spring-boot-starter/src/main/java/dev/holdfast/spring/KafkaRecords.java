package dev.holdfast.spring;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** Records of Kafka, as they came. */
final class KafkaRecords implements MessageKind<ConsumerRecord<byte[], byte[]>> {
  static final KafkaRecords KIND = new KafkaRecords();

  private KafkaRecords() {}

  @Override
  public Class<? super ConsumerRecord<byte[], byte[]>> type() {
    return ConsumerRecord.class;
  }

  @Override
  public String typeName() {
    return "ConsumerRecord<byte[], byte[]>";
  }

  @Override
  public byte @Nullable [] payload(ConsumerRecord<byte[], byte[]> message) {
    return message.value();
  }

  @Override
  public @Nullable Object header(ConsumerRecord<byte[], byte[]> message, String name) {
    Header found = message.headers().lastHeader(name);
    return found == null ? null : found.value();
  }
}
