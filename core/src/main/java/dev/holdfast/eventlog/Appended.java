package dev.holdfast.eventlog;

import java.util.List;
import java.util.NoSuchElementException;

/**
 * What an append has left in the log, or had left before.
 *
 * @param events where each event is, in the order in which they were given
 * @param repeated whether the same events were appended before, and nothing by this
 */
public record Appended(List<Place> events, boolean repeated) {
  /**
   * Where an event is.
   *
   * @param position among all events
   * @param version in its stream
   */
  public record Place(String stream, long version, long position) {}

  public Appended {
    events = List.copyOf(events);
  }

  /** Of the last event of a stream; the version to expect by the next append. */
  public long version(String stream) {
    return events.stream()
        .filter(each -> each.stream().equals(stream))
        .mapToLong(Place::version)
        .max()
        .orElseThrow(() -> new NoSuchElementException("Nothing was appended to " + stream));
  }

  /** The greatest of the positions: who has read up to it has read these events. */
  public long position() {
    return events.stream().mapToLong(Place::position).max().orElseThrow();
  }
}
