package dev.holdfast.internal.workflow;

import dev.holdfast.internal.Doorbell;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The database's time, read now and then and carried on by what has passed here since. This
 * process's own clock takes no part. Thread-safe.
 */
final class DatabaseClock {
  private record Reading(Instant there, long nanos) {}

  private final AtomicReference<Reading> reading;

  DatabaseClock(Instant there) {
    this.reading = new AtomicReference<>(new Reading(there, Doorbell.nanos()));
  }

  /** It was so much there, a moment ago. */
  void set(Instant there) {
    reading.set(new Reading(there, Doorbell.nanos()));
  }

  Instant now() {
    Reading last = reading.get();
    return last.there().plus(Doorbell.since(last.nanos()));
  }
}
