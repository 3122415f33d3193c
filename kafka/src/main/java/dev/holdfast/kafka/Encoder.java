package dev.holdfast.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Locale;
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

  private static final DateTimeFormatter TO_THE_SECOND =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

  private final Header source;
  private final int maxRequestSize;
  private @Nullable String lastType;
  private @Nullable Header typeHeader;
  private @Nullable String lastContentType;
  private @Nullable Header contentTypeHeader;
  private long lastSecond = Long.MIN_VALUE;
  private byte[] secondText = {};

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
    headers.add("ce_time", time(message.recordedAtMillis()));
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

  /** RFC 3339 in UTC, to the millisecond. Most messages of a batch share their second. */
  private byte[] time(long millis) {
    long second = Math.floorDiv(millis, 1000L);
    if (second != lastSecond) {
      lastSecond = second;
      secondText = TO_THE_SECOND.format(Instant.ofEpochSecond(second)).getBytes(UTF_8);
    }
    int fraction = Math.floorMod(millis, 1000);
    byte[] text = Arrays.copyOf(secondText, secondText.length + 5);
    int at = secondText.length;
    text[at] = '.';
    text[at + 1] = (byte) ('0' + fraction / 100);
    text[at + 2] = (byte) ('0' + fraction / 10 % 10);
    text[at + 3] = (byte) ('0' + fraction % 10);
    text[at + 4] = 'Z';
    return text;
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
