package dev.holdfast.eventlog;

import dev.holdfast.Transaction;
import dev.holdfast.eventlog.store.EventStore;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;

/**
 * Streams of events in the application's database: appended to, and read. Thread-safe.
 *
 * <p>Events are never changed. An append is refused by an exception that leaves the transaction as
 * it was, unless it says otherwise.
 */
public final class EventLog {
  /** How many events a decision may rest on. */
  private static final int MOST_MATCHING = 10_000;

  private static final int BATCH_ARCHIVED = 500;
  private static final int BATCH_EVENTS = 10_000;
  private static final int BATCH_BYTES = 16 * 1024 * 1024;

  private final EventStore store;
  private final LoneAppends lone;

  /** On a store; usually {@link dev.holdfast.Holdfast#eventLog()} is shorter. */
  public EventLog(EventStore store) {
    this.store = store;
    this.lone = new LoneAppends(store);
  }

  /**
   * Appends as a part of a transaction, in one round trip: the events are there exactly when the
   * transaction is. Asked again with events that are there, with the same bodies, it changes
   * nothing and answers where they are, whatever is expected; so a caller that does not know
   * whether it has appended asks again.
   *
   * <p>Waits for an open transaction that has appended behind the same version, or holds a tag that
   * a condition is about. The commit is flushed, whatever the session says of synchronous commits,
   * unless it says so behind this.
   *
   * @throws WrongExpectedVersion when a stream has another version
   * @throws ConditionFailed when there is an event that the condition rules out
   * @throws EventIdReused when the id of an event is there with another body
   * @throws InvalidEvent when an event is larger than the store takes
   * @throws dev.holdfast.NoTransaction when the connection is in autocommit mode
   * @throws dev.holdfast.DatabaseFailure for a condition when the transaction is not READ
   *     COMMITTED; it is rolled back
   */
  public Appended append(Transaction tx, Append append) throws SQLException {
    String operation = append.operationId();
    return store.append(tx.connection(), append, operation == null ? tx.operationId() : operation);
  }

  /**
   * Appends as a transaction of its own: one statement, and one commit, which is flushed. Threads
   * that append one event each at the same time, without a condition, share both. When the reply is
   * lost, append the same events again. An interrupt does not take it back; the flag is set then.
   *
   * @throws dev.holdfast.StoreUnavailable when the database cannot be reached, or went away: the
   *     events are there or not
   */
  public Appended append(Append append) {
    String operation = append.operationId();
    return lone.append(append, operation == null ? UUID.randomUUID().toString() : operation);
  }

  /**
   * Appends events that have happened elsewhere, in batches, each a transaction of its own, so that
   * readers are not held up for long. Positions follow the order in which they come. When it is cut
   * off, import the same again: what is there is passed over, by its id alone.
   *
   * <p>The user needs the rights of {@code holdfast_relay}. Appends with a condition wait for a
   * batch that is under way.
   *
   * @throws InvalidEvent when a version or a time does not follow the one before it in the stream,
   *     or an event is larger than the store takes; the batches before are there
   * @throws dev.holdfast.DatabaseFailure when somebody else appends to the same stream meanwhile,
   *     or the id of an event is there twice; the batches before are there
   */
  public Imported importAll(Iterator<ImportedEvent> events) {
    Imported sum = new Imported(0, 0);
    List<ImportedEvent> batch = new ArrayList<>();
    long bytes = 0;
    while (events.hasNext()) {
      ImportedEvent event = events.next();
      batch.add(event);
      bytes += event.event().data().length;
      if (batch.size() == BATCH_EVENTS || bytes >= BATCH_BYTES) {
        sum = sum.and(store.load(batch));
        batch = new ArrayList<>();
        bytes = 0;
      }
    }
    return batch.isEmpty() ? sum : sum.and(store.load(batch));
  }

  /**
   * Moves events of a stream to which nothing more is expected out of the table that is appended
   * to, in short transactions. All that reads finds them as before, at the same positions; its last
   * event stays where it is. When it is cut off, ask again.
   *
   * <p>Their ids are no longer looked at when something is appended, unless its expected version is
   * wrong: archive what nobody will repeat.
   *
   * <p>The user needs the rights of {@code holdfast_relay} or {@code holdfast_admin}.
   *
   * @param through up to this version
   * @return how many
   */
  public long archive(String stream, long through) {
    long sum = 0;
    int moved;
    do {
      moved = store.archive(stream, through, BATCH_ARCHIVED);
      sum += moved;
    } while (moved == BATCH_ARCHIVED);
    return sum;
  }

  /** Reads a part of a stream, with what the transaction itself has appended. */
  public List<RecordedEvent> read(Transaction tx, StreamQuery query) throws SQLException {
    return store.read(tx.connection(), query);
  }

  /** Reads a part of a stream, as it is committed. */
  public List<RecordedEvent> read(StreamQuery query) {
    return store.read(query);
  }

  /**
   * Reads all events that a decision rests on, of whatever streams.
   *
   * @throws InvalidEvent when they are more than 10,000
   */
  public Matching read(EventQuery query) {
    return store.read(query, MOST_MATCHING);
  }

  /**
   * A reader of all events.
   *
   * @param checkpoint behind which it begins: the position of an event, or 0
   */
  public EventReader reader(long checkpoint) {
    if (checkpoint < 0) {
      throw new InvalidEvent(
          "The checkpoint is %d, and must be 0 or the position of an event. Nothing was read."
              .formatted(checkpoint));
    }
    return new EventReader(store, checkpoint);
  }

  /** Whom readers wait for at this moment, the longest first; 100 at most. */
  public List<Holder> holders() {
    return store.holders();
  }
}
