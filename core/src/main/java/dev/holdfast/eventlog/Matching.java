package dev.holdfast.eventlog;

import java.util.List;

/**
 * The events that matter to a decision.
 *
 * @param events all that match, in the order of their positions; flushed in the database
 * @param condition that nothing else has been appended that matches; for {@link Append#onlyIf}
 */
public record Matching(List<RecordedEvent> events, Condition condition) {
  public Matching {
    events = List.copyOf(events);
  }
}
