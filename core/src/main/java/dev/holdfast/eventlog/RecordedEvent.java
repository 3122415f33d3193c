package dev.holdfast.eventlog;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;

/**
 * An event as it was appended. Immutable, apart from the data array, which must not be changed.
 *
 * @param position its place among all events, from 1; there are gaps
 * @param stream the stream
 * @param version its place in the stream: 1, 2, 3, without a gap
 * @param id names it
 * @param type its stable name
 * @param schemaVersion of the data
 * @param contentType of the data
 * @param data its body
 * @param metadata what is said about it
 * @param operationId the operation that has appended it
 * @param recordedAt when, by the database's clock, before its commit; never earlier than that of
 *     the event before it in the stream
 */
public record RecordedEvent(
    long position,
    String stream,
    long version,
    UUID id,
    String type,
    int schemaVersion,
    String contentType,
    byte[] data,
    Map<String, String> metadata,
    String operationId,
    Instant recordedAt) {
  public RecordedEvent {
    metadata = Map.copyOf(metadata);
  }

  /** The data as text. */
  public String text() {
    return new String(data, StandardCharsets.UTF_8);
  }

  /** Where it is, and what; the data may be confidential. */
  @Override
  public String toString() {
    return "RecordedEvent[%d: %s %d %s]".formatted(position, stream, version, type);
  }
}
