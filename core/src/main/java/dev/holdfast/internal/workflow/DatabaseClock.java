package dev.holdfast.internal.workflow;

import dev.holdfast.internal.Doorbell;
import java.time.Instant;

/**
 * The database's time, read now and then and carried on by what has passed here since. This
 * process's own clock takes no part. Thread-safe.
 */
final class DatabaseClock {
  private record Reading(Instant there, long nanos) {}

  private volatile Reading reading;

  DatabaseClock(Instant there) {
    this.reading = new Reading(there, Doorbell.nanos());
  }

  /** It was so much there, a moment ago. */
  void set(Instant there) {
    reading = new Reading(there, Doorbell.nanos());
  }

  Instant now() {
    Reading last = reading;
    return last.there().plus(Doorbell.since(last.nanos()));
  }
}
