package dev.holdfast.workflow.store;

import dev.holdfast.Message;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.WorkflowQueue;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Runs, their journals, and who runs them. Thread-safe.
 *
 * <p>A run belongs to the executor that its state names. Everything that is appended locks that row
 * in the same commit, and a takeover updates it: of the two one comes first, and sees the other.
 */
public interface WorkflowStore {

  /** Which store this is: a part of every key that a step calls others with. */
  UUID storeId();

  /**
   * Makes an executor known.
   *
   * @param owner names the process, for people
   * @return its number, which no other ever had or will have
   */
  long register(String owner, Duration lease);

  /**
   * Moves an executor's expiry on.
   *
   * @return false when it is not known any more: it had expired, and all its runs are taken over
   */
  boolean renew(long executor, Duration lease);

  /** Gives all of an executor's runs up, so that others need not wait for its expiry. */
  void release(long executor);

  /**
   * What a run is started with, and never changes.
   *
   * @param startAt when it is due, unless that is past; beside a delay the later of the two
   * @param queue where it waits until it is let in
   */
  record NewRun(
      String id,
      String name,
      int version,
      String input,
      String operationId,
      Map<String, String> attributes,
      @Nullable Duration delay,
      @Nullable Instant startAt,
      @Nullable Duration deadline,
      @Nullable String queue,
      @Nullable String queueKey,
      @Nullable Long parent,
      @Nullable String parentSignal) {}

  /**
   * What a start has found.
   *
   * @param isNew whether there was none of the id before
   * @param isSame whether one that was there has the same name, version and input
   */
  record Started(long run, boolean isNew, boolean isSame, @Nullable Instant deadline) {}

  /**
   * Starts a run, in the caller's transaction or alone when the connection is in autocommit mode.
   *
   * @param executor who runs it at once; {@code null} for whoever comes first. Only where this is
   *     committed alone
   */
  Started start(Connection connection, NewRun run, @Nullable Long executor) throws SQLException;

  /** As {@link #start}, in a commit of its own. */
  Started startAlone(NewRun run, @Nullable Long executor);

  /** One of several starts; see {@link #start}. */
  record Start(NewRun run, @Nullable Long executor) {}

  /**
   * Starts several runs in one commit and one round trip. Waits for no other transaction longer
   * than a moment.
   *
   * @param starts in the order in which others name theirs
   * @return what each has found
   * @throws dev.holdfast.DatabaseFailure when one of them cannot be started, or not at once: none
   *     was
   */
  List<Started> startAll(List<Start> starts);

  /**
   * A run that an executor has taken up.
   *
   * @param turn which one it is that the run is taken up, by whomever: what is appended has to name
   *     it
   * @param parent the run that has started it, and waits for its end
   * @param cancelled why it is to be cancelled, if so
   * @param orphanSince since when something of it may have begun that is not recorded: where it was
   *     running when it was taken up, also if a person was needed before it went on; else {@code
   *     null}
   */
  record Claimed(
      long run,
      int turn,
      String id,
      String name,
      int version,
      String input,
      String operationId,
      Map<String, String> attributes,
      @Nullable Long parent,
      @Nullable String cancelled,
      @Nullable Instant deadline,
      @Nullable Instant orphanSince) {}

  /**
   * What a claim has found.
   *
   * @param now the database's clock
   * @param next when the next run is due; {@code null} when none is
   */
  record Claims(List<Claimed> runs, Instant now, @Nullable Instant next) {}

  /**
   * Takes up runs that are due, whose signal has come, or whose executor has expired. Skips what
   * others are at.
   *
   * @param definitions as {@code name/version}: those that the executor can run; the first ones
   *     come first
   * @param withOrphans whether runs are looked for whose executor has expired; before all others
   */
  Claims claim(long executor, List<String> definitions, int limit, boolean withOrphans);

  /**
   * What a queue has let in.
   *
   * @param admitted how many; they are due
   * @param isMore whether there may be more that could be let in at once
   * @param now the database's clock
   * @param next when one more may be let in, or is due; {@code null} when no time is known
   */
  record Admission(int admitted, boolean isMore, Instant now, @Nullable Instant next) {}

  /**
   * Lets runs in that wait in a queue and are due, as far as its bounds allow. One caller at a time
   * for each queue; others let nothing in meanwhile.
   */
  Admission admit(WorkflowQueue queue, List<String> definitions, int limit);

  /** The runs that belong to an executor. */
  List<Claimed> own(long executor);

  /**
   * Takes up a run of an executor's own once more: nothing that was sent in its turn before has an
   * effect any more.
   *
   * @return empty when it does not belong to the executor any more
   */
  Optional<Claimed> retake(long executor, long run);

  /** A signal that nobody has received. */
  record Signal(long number, String name, @Nullable String value, @Nullable String note) {}

  /** What is known of a run. */
  record History(List<Entry> entries, List<Signal> signals) {}

  /** To be read after a takeover is committed. */
  Map<Long, History> histories(Collection<Long> runs);

  /** What becomes of a run's state. */
  sealed interface Change {
    /** Nothing. */
    record Keep() implements Change {}

    /**
     * It is given back until a time, a signal, or both.
     *
     * @param endsEarly whether its deadline or a cancellation makes it due as well
     */
    record Park(@Nullable Instant due, List<String> signals, boolean endsEarly) implements Change {
      public Park(@Nullable Instant due, List<String> signals) {
        this(due, signals, true);
      }
    }

    /**
     * It needs a person.
     *
     * @param begunSince since when something of it may have begun that is not recorded, if so:
     *     whoever goes on is told
     */
    record Stick(String reason, @Nullable Instant begunSince) implements Change {}

    /** It has ended; whoever has started it as a child gets a signal. */
    record End(RunStatus status, @Nullable String reason) implements Change {}
  }

  /** What is to be appended to one run. */
  record Append(
      long run,
      int turn,
      List<Entry> entries,
      List<NewRun> children,
      List<Long> received,
      Change change) {}

  /**
   * Appends to several runs in one commit and one round trip.
   *
   * @return for each run that belongs to the executor why it is to be cancelled, if it is; of the
   *     others nothing was written
   */
  Map<Long, Optional<String>> append(long executor, List<Append> appends);

  /**
   * Appends in the caller's transaction, and commits it, with its messages, in the same round trip.
   *
   * @return why the run is to be cancelled, if it is
   * @throws TakenOver when the run belongs to somebody else; nothing is committed
   * @throws SQLException when the commit failed, or its reply was lost
   */
  Optional<String> appendAndCommit(
      Connection connection, long executor, Append append, List<Message> messages, String operation)
      throws SQLException;

  /** As {@link #appendAndCommit}, for one that somebody else commits behind this. */
  Optional<String> append(
      Connection connection, long executor, Append append, List<Message> messages, String operation)
      throws SQLException;

  /**
   * What became of an append whose reply was lost.
   *
   * @param isOwned whether the run still belongs to the executor, in that turn
   * @param entry what is there under the number
   */
  record Found(boolean isOwned, @Nullable Entry entry) {}

  /** Waits for an append of the executor's to this run that is still being committed. */
  Found find(long executor, long run, int turn, int seq);

  /**
   * Sends a signal to a run, in the caller's transaction or alone.
   *
   * @return false when there is no such run, or it has ended
   * @throws dev.holdfast.workflow.TooManySignals when it has not received as many as it may be sent
   */
  boolean signal(Connection connection, String id, String name, String value) throws SQLException;

  /** As {@link #signal}, in a commit of its own. */
  boolean signalAlone(String id, String name, String value);

  /**
   * A run as it is.
   *
   * @param parent the run that has started it
   * @param value its result
   * @param reason why it is stuck or has failed
   */
  record Status(
      long run,
      String id,
      String name,
      int version,
      RunStatus status,
      boolean isUnwinding,
      @Nullable Long parent,
      @Nullable String value,
      @Nullable String reason,
      Instant startedAt) {}

  Map<String, Status> statuses(Collection<String> ids);

  /**
   * What a run was started with, and how much there is of it.
   *
   * @param entries how many its journal has
   * @param characters how many its input, results and notes have, signals included
   */
  record Outline(long run, String input, String operationId, long entries, long characters) {}

  /** Empty when there is no run of this id. */
  Optional<Outline> outline(String id);

  /**
   * What there is to do, as figures.
   *
   * @param running how many runs are executed somewhere, counted up to {@link #COUNTED}
   * @param stuck how many wait for a person, counted up to {@link #COUNTED}
   * @param overdue for how long the one has been due that waits longest for being taken up
   */
  record Backlog(long running, long stuck, Duration overdue) {
    public static final int COUNTED = 10_000;
  }

  /**
   * Cheap, whatever there is.
   *
   * @param definitions as {@code name/version}: those whose runs may be due
   */
  Backlog backlog(Collection<String> definitions);

  /**
   * Asks for a run's end; its executor finds it at the next append, and one that is parked is due.
   *
   * @return false when there is no such run, or it has ended
   */
  boolean cancel(String id, String reason, String who);

  /**
   * Lets a run that is stuck be taken up again: records that it was resumed, and then what a person
   * has added to its journal.
   *
   * @param last what the journal's last entry has to be: what is known to the caller; {@code null}
   *     where that does not matter
   * @param entries their numbers are given here
   * @return false when there is no such run, it is not stuck, or has changed meanwhile
   */
  boolean resume(String id, @Nullable Integer last, List<Entry> entries, String who, String note);

  /**
   * What a run's child has come to.
   *
   * @param isOwned whether the parent still belongs to the executor
   * @param status {@code null} when there is no such child of the run
   */
  record Child(boolean isOwned, @Nullable RunStatus status) {}

  /**
   * Has a child undone: one that has not ended is cancelled, one that has completed, and is not
   * behind its pivot, is due for being undone. Signals by which it has told its parent of an
   * earlier end are taken away; that of its end then is one more.
   */
  Child undoChild(long executor, long parent, int turn, String id, String reason);

  /**
   * Lets a run that is stuck or has ended be taken up again from an earlier point.
   *
   * @param last what the journal's last entry has to be: what is known to the caller
   * @param entry records it
   * @return false when the run has changed meanwhile
   */
  boolean restart(long run, int last, Entry entry, String who, String note);

  /** Ends a run that is stuck. */
  boolean end(String id, RunStatus status, @Nullable String value, String who, String note);

  /**
   * Deletes runs that have ended longer ago than this, with all that belongs to them, and executors
   * that are gone.
   *
   * @return how many runs; when it is the limit there may be more
   */
  int forget(Duration age, int limit);
}
