package dev.holdfast.eventlog;

import java.util.List;

/**
 * "Nothing that matters has been appended since": a consistency boundary that is drawn by a
 * decision, and not by a stream. Made of what {@link EventLog#read(EventQuery)} has answered.
 *
 * @param query what matters
 * @param since a settled position: what matters up to it is known
 * @param seen the positions behind that of what is known as well
 */
public record Condition(EventQuery query, long since, List<Long> seen) {
  public Condition {
    seen = List.copyOf(seen);
  }

  /** That nothing of it has ever been appended. */
  public static Condition never(EventQuery query) {
    return new Condition(query, 0, List.of());
  }
}
