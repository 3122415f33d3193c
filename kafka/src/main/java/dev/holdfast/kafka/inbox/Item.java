package dev.holdfast.kafka.inbox;

import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.store.ConsumerParking.Header;
import dev.holdfast.inbox.store.ConsumerParking.Parked;
import dev.holdfast.inbox.store.OffsetStore.Partition;
import dev.holdfast.internal.inbox.OperationIds;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * A record in hand.
 *
 * @param next where its partition goes on behind it
 * @param operation the one that it carries, or a new one
 */
record Item(ConsumerRecord<byte[], byte[]> message, long next, String operation) {
  static Item of(ConsumerRecord<byte[], byte[]> message, long next) {
    String carried = OperationIds.usable(header(message, "ce_operationid"));
    return new Item(message, next, carried == null ? UUID.randomUUID().toString() : carried);
  }

  TopicPartition at() {
    return new TopicPartition(message.topic(), message.partition());
  }

  @Nullable Integer leaderEpoch() {
    return message.leaderEpoch().orElse(null);
  }

  /**
   * By the id that it carries, and the fingerprint of its value.
   *
   * @throws dev.holdfast.InvalidMessage when the id cannot be used
   */
  Incoming incoming() {
    byte[] value = message.value();
    return Incoming.of(Optional.ofNullable(header(message, "ce_id")).orElse(""))
        .saying(value == null ? new byte[0] : value);
  }

  private static @Nullable String header(ConsumerRecord<byte[], byte[]> message, String name) {
    org.apache.kafka.common.header.Header header = message.headers().lastHeader(name);
    return header == null || header.value() == null
        ? null
        : new String(header.value(), StandardCharsets.UTF_8);
  }

  Parked parked(Partition partition) {
    List<Header> headers = new ArrayList<>();
    message
        .headers()
        .forEach(
            header ->
                headers.add(new Header(header.key().replace('\0', '\uFFFD'), header.value())));
    return new Parked(
        partition,
        message.offset(),
        lane(),
        leaderEpoch(),
        message.timestamp(),
        message.key(),
        message.value(),
        headers);
  }

  static Item of(Parked parked) {
    RecordHeaders headers = new RecordHeaders();
    parked.headers().forEach(header -> headers.add(header.name(), header.value()));
    byte[] key = parked.key();
    byte[] value = parked.value();
    return of(
        new ConsumerRecord<>(
            parked.partition().topic(),
            parked.partition().number(),
            parked.offset(),
            parked.createdMs(),
            TimestampType.CREATE_TIME,
            key == null ? -1 : key.length,
            value == null ? -1 : value.length,
            key,
            value,
            headers,
            Optional.ofNullable(parked.leaderEpoch())),
        parked.offset() + 1);
  }

  /** Of its key, or its own when it has none; readable where the key is text. */
  String lane() {
    byte[] key = message.key();
    if (key == null) {
      return "o:" + message.offset();
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(key)).toString();
      if (text.length() <= 512 && text.chars().noneMatch(Character::isISOControl)) {
        return "k:" + text;
      }
    } catch (CharacterCodingException e) {
      // Not text.
    }
    return "h:" + HexFormat.of().formatHex(Incoming.of("key").saying(key).fingerprint());
  }
}
