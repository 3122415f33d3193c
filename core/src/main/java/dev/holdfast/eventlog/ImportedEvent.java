package dev.holdfast.eventlog;

import java.time.Instant;

/**
 * An event that has happened before, somewhere else, for {@link EventLog#importAll}.
 *
 * @param stream 1 to 200 characters
 * @param version its place there; behind the one before it without a gap
 * @param event the event; its id is what it is known by when it comes again
 * @param operationId of the operation that it belongs to, 1 to 200 characters
 * @param recordedAt when; never earlier than that of the event before it in the stream
 */
public record ImportedEvent(
    String stream, long version, EventData event, String operationId, Instant recordedAt) {
  /**
   * @throws InvalidEvent when one of them is out of its bounds
   */
  public ImportedEvent {
    EventData.requireName("The name of a stream", stream);
    EventData.requireName("The id of an operation", operationId);
    if (version < 1) {
      throw new InvalidEvent(
          "The version of an event of stream %s is %d, and must be 1 or more. Nothing was imported."
              .formatted(stream, version));
    }
  }
}
