package dev.holdfast.outbox;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;

/** What decides when the next thing is done. */
enum Pace {
  /** Time passes, and threads do what has come due. */
  TIMED,

  /**
   * Whoever calls, one thing at a time, on their thread: what would wait for the time of the
   * process to pass is due at the next step. The database's time is what it is.
   */
  STEPPED;

  /** Whether at least this much has passed since a {@linkplain Doorbell#nanos reading}. */
  boolean hasPassed(Duration duration, long since) {
    return this == STEPPED || Doorbell.hasPassed(duration, since);
  }

  /** Whether copying progress is a step of its own, with a place before it to die at. */
  boolean copiesApart() {
    return this == STEPPED;
  }
}
