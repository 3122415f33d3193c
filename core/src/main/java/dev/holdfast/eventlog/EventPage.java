package dev.holdfast.eventlog;

import java.util.List;

/**
 * What a reader has read.
 *
 * @param events in the order of their positions; flushed in the database
 * @param checkpoint where to go on: the position of the last event that was read, now or before
 * @param waiting whether events may be there that cannot be read yet, since a transaction is open
 *     that may commit one before them
 */
public record EventPage(List<RecordedEvent> events, long checkpoint, boolean waiting) {
  public EventPage {
    events = List.copyOf(events);
  }
}
