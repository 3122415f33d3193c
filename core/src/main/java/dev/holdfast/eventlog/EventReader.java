package dev.holdfast.eventlog;

import dev.holdfast.eventlog.store.EventStore;
import dev.holdfast.eventlog.store.Reading;
import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.List;

/**
 * Reads all events behind a checkpoint, each once, in the order of their positions, which every
 * reader sees alike and which keeps streams in order. Made by {@link EventLog#reader}; not
 * thread-safe; has nothing to be closed.
 *
 * <p>It passes over no position while a transaction is open that may still commit it. That is one
 * that has appended, or changed the events' table otherwise; not a transaction that has done
 * neither, however long, and nobody of another database. Who is waited for is named by {@link
 * EventLog#holders}; nobody is given up by the passing of time.
 *
 * <p>What it has read survives a crash of the database. It is read again by a reader that begins at
 * an earlier checkpoint: keep the checkpoint in the transaction that makes use of the events.
 */
public final class EventReader {
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(20);
  private static final int MOST = 10_000;

  private final EventStore store;
  private final Reading reading;

  EventReader(EventStore store, long checkpoint) {
    this.store = store;
    this.reading = new Reading(checkpoint);
  }

  /** The position of the last event that was read. */
  public long checkpoint() {
    return reading.checkpoint();
  }

  /**
   * Reads on, without waiting. Needs no transaction.
   *
   * @param limit how many events at most, 1 to 10,000
   * @throws CheckpointAhead when the log has not come as far as the checkpoint
   * @throws dev.holdfast.StoreUnavailable when the database cannot be reached; ask again
   */
  public EventPage next(int limit) {
    if (limit < 1 || limit > MOST) {
      throw new InvalidEvent(
          "The limit of a page is %d, and must be 1 to %d. Nothing was read."
              .formatted(limit, MOST));
    }
    List<RecordedEvent> events = store.readSettled(reading, limit);
    return new EventPage(events, reading.checkpoint(), reading.isWaiting());
  }

  /**
   * As {@link #next(int)}, and asks again until there is something, or the time is over.
   *
   * @param atMost how long; looks come every 20 ms when there is nothing for long
   * @throws InterruptedException when the thread is interrupted; nothing was passed over
   */
  public EventPage next(int limit, Duration atMost) throws InterruptedException {
    long begun = Doorbell.nanos();
    Duration pause = Duration.ofMillis(1);
    while (true) {
      EventPage page = next(limit);
      if (!page.events().isEmpty() || Doorbell.hasPassed(atMost, begun)) {
        return page;
      }
      new Doorbell().await(pause);
      pause = pause.multipliedBy(2);
      if (pause.compareTo(LONGEST_PAUSE) > 0) {
        pause = LONGEST_PAUSE;
      }
    }
  }
}
