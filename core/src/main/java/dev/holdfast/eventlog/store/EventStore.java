package dev.holdfast.eventlog.store;

import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.Holder;
import dev.holdfast.eventlog.Imported;
import dev.holdfast.eventlog.ImportedEvent;
import dev.holdfast.eventlog.Matching;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Events in a database. What has a connection is done in the caller's transaction, in one round
 * trip, and throws {@link dev.holdfast.NoTransaction} when there is none. Thread-safe.
 */
public interface EventStore {

  /** See {@link dev.holdfast.eventlog.EventLog#append(dev.holdfast.Transaction, Append)}. */
  Appended append(Connection connection, Append append, String operationId) throws SQLException;

  /** As one statement that is its own transaction, whose commit is flushed. */
  Appended append(Append append, String operationId);

  /**
   * Appends each as {@link #append(Append, String)} does, all in one statement that is its own
   * transaction, and answers in them. They are of one event each, without a condition, and of
   * distinct ids.
   *
   * @throws dev.holdfast.HoldfastException when one of them would wait for somebody else for long,
   *     or fails otherwise; none has an answer, and each can be appended alone
   */
  void appendTogether(List<LoneAppend> appends);

  /** Appends a batch in a transaction of its own; see {@link dev.holdfast.eventlog.EventLog}. */
  Imported load(List<ImportedEvent> batch);

  /**
   * Moves the oldest of a stream's events to the archive, in a transaction of its own.
   *
   * @param through of versions up to this, and never the last one
   * @return how many
   */
  int archive(String stream, long through, int limit);

  List<RecordedEvent> read(Connection connection, StreamQuery query) throws SQLException;

  List<RecordedEvent> read(StreamQuery query);

  /**
   * Takes a mark, unless the reader has settled events to read, and reads what is settled. On one
   * session, so that a crash between the two breaks it; what is read is flushed. Empty only when a
   * mark was taken by this call, so that there is nothing to read, or somebody is waited for.
   *
   * @param reading of one reader, which uses it with no other thread at the time
   * @param limit how many events at most
   */
  List<RecordedEvent> readSettled(Reading reading, int limit);

  /**
   * Reads all events that match, and what is needed to find out later whether they are still all.
   *
   * @param limit how many there may be
   * @throws dev.holdfast.eventlog.InvalidEvent when there are more
   */
  Matching read(EventQuery query, int limit);

  /**
   * What was kept of a stream, in the caller's transaction.
   *
   * @param unless nothing is answered where this event is in the log
   */
  Optional<StoredSnapshot> snapshot(
      Connection connection, String decider, int stateVersion, String stream, @Nullable UUID unless)
      throws SQLException;

  /**
   * Keeps a snapshot in the caller's transaction, unless there is a later one, or it is larger than
   * an event may be. It is gone when the database crashes, or is restored.
   */
  void keep(Connection connection, StoredSnapshot snapshot) throws SQLException;

  /**
   * How far the log has come, to be shown. Looks a few times, a millisecond apart, at whether those
   * who append at the moment are gone.
   */
  Head head();

  /** Those who hold the mark now, the longest first; 100 at most. */
  List<Holder> holders();
}
