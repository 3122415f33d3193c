package dev.holdfast.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Instant;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * Messages as records in the CloudEvents binary mode (<a
 * href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md">Kafka
 * binding</a>): attributes as {@code ce_} headers, {@code datacontenttype} as {@code content-type},
 * the payload as the value; {@code traceparent} and the application's own headers as they are. Used
 * by one thread.
 */
final class Encoder {
  /** The operation a message belongs to, as a CloudEvents extension. */
  static final String OPERATION_HEADER = "ce_operationid";

  private static final Header SPEC_VERSION =
      new RecordHeader("ce_specversion", "1.0".getBytes(UTF_8));

  private final Header source;
  private final int maxRequestSize;
  private @Nullable String lastType;
  private @Nullable Header typeHeader;
  private @Nullable String lastContentType;
  private @Nullable Header contentTypeHeader;

  Encoder(Settings settings, String channel) {
    String uri = settings.source() == null ? "/holdfast/" + channel : settings.source();
    this.source = new RecordHeader("ce_source", uri.getBytes(UTF_8));
    this.maxRequestSize = settings.maxRequestSize();
  }

  ProducerRecord<byte[], byte[]> encode(OutboxRecord message) {
    RecordHeaders headers = new RecordHeaders();
    headers.add(SPEC_VERSION);
    headers.add("ce_id", message.id().toString().getBytes(UTF_8));
    headers.add(source);
    headers.add(type(message.type()));
    headers.add(
        "ce_time", Instant.ofEpochMilli(message.recordedAtMillis()).toString().getBytes(UTF_8));
    headers.add(contentType(message.contentType()));
    if (message.operationId() != null) {
      headers.add(OPERATION_HEADER, message.operationId().getBytes(UTF_8));
    }
    for (Map.Entry<String, String> own : message.headers().entrySet()) {
      headers.add(own.getKey(), own.getValue().getBytes(UTF_8));
    }
    byte @Nullable [] key = message.key() == null ? null : message.key().getBytes(UTF_8);
    return new ProducerRecord<>(
        message.topic(), null, message.recordedAtMillis(), key, message.payload(), headers);
  }

  /** Why the record could never be sent with the producer's settings, or {@code null}. */
  @Nullable String tooLarge(ProducerRecord<byte[], byte[]> record) {
    // Lengths as varints and batch overhead, on the safe side: the producer's own estimate is
    // close.
    long size = 128L + length(record.key()) + length(record.value());
    for (Header header : record.headers()) {
      size += 12L + header.key().length() + length(header.value());
    }
    return size <= maxRequestSize
        ? null
        : "the record has about %,d bytes, over max.request.size of %,d"
            .formatted(size, maxRequestSize);
  }

  private static int length(byte @Nullable [] bytes) {
    return bytes == null ? 0 : bytes.length;
  }

  /** Most messages of a batch have the same type; its bytes are made once. */
  private Header type(String type) {
    Header header = typeHeader;
    if (header == null || !type.equals(lastType)) {
      header = new RecordHeader("ce_type", type.getBytes(UTF_8));
      typeHeader = header;
      lastType = type;
    }
    return header;
  }

  private Header contentType(String contentType) {
    Header header = contentTypeHeader;
    if (header == null || !contentType.equals(lastContentType)) {
      header = new RecordHeader("content-type", contentType.getBytes(UTF_8));
      contentTypeHeader = header;
      lastContentType = contentType;
    }
    return header;
  }
}
