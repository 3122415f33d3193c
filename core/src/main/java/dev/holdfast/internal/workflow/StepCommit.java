package dev.holdfast.internal.workflow;

import dev.holdfast.Message;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.TransactionOptions;
import dev.holdfast.TransactionWork;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.transaction.Closing;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.Entry.Kind;
import dev.holdfast.workflow.store.TakenOver;
import dev.holdfast.workflow.store.WorkflowStore.Append;
import dev.holdfast.workflow.store.WorkflowStore.Change;
import dev.holdfast.workflow.store.WorkflowStore.Found;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Work and its record in one commit. Used once.
 *
 * <p>When the reply to that commit is lost it may still be under way, and be committed behind
 * whoever looks. So another entry is put in the place of its record, under the fence: of the two
 * one violates the journal's key. If that is the other, the work was done; else it never will be,
 * and is done again under a number of its own. What the record was to take along is put there with
 * it: the journal has nothing of a step while it lacks what the function had found before it.
 */
final class StepCommit<T extends @Nullable Object> implements Closing<T> {
  private final Execution execution;
  private final Kind kind;
  private final boolean completes;
  private final String step;
  private final Function<T, @Nullable String> write;
  private @Nullable Append append;

  /**
   * @param completes whether the run ends in the same commit
   */
  StepCommit(
      Execution execution,
      Kind kind,
      boolean completes,
      String step,
      Function<T, @Nullable String> write) {
    this.execution = execution;
    this.kind = kind;
    this.completes = completes;
    this.step = step;
    this.write = write;
  }

  /**
   * @param read makes the value of what was recorded, where that was done by an attempt whose reply
   *     was lost
   * @throws Stop when the run belongs to somebody else
   * @throws RuntimeException what the work threw; nothing is committed
   */
  T run(TransactionWork<T> work, Function<Entry, T> read) {
    Backoff backoff =
        new Backoff(Duration.ofMillis(20), Duration.ofSeconds(1), ThreadLocalRandom.current());
    while (true) {
      execution.tenure().require();
      try {
        T value = execution.tools().transactions().run(options(), work, this);
        committed();
        return value;
      } catch (OutcomeUnknown e) {
        if (append == null) {
          // Of a transaction of the work's own.
          throw e;
        }
        Found found = settle(backoff);
        if (found.entry() != null && found.entry().kind() == kind) {
          committed();
          return read.apply(found.entry());
        }
        // The number is taken by what was put in its place, and recorded is what it took along.
        append = null;
      } catch (StoreUnavailable e) {
        // Not begun, or rolled back.
        pause(backoff.next());
      } catch (RuntimeException | Stop e) {
        takeBack();
        throw e;
      }
    }
  }

  private void committed() {
    execution.watch().recordedBy(entries(), record());
  }

  private void takeBack() {
    if (append != null) {
      execution.journal().takeBack(takenAlong(), step);
      append = null;
    }
  }

  /** Its number in the journal; known when it is committed. */
  int seq() {
    return record().seq();
  }

  /** What was recorded, as JSON. */
  String value() {
    return String.valueOf(record().value());
  }

  private List<Entry> entries() {
    return Objects.requireNonNull(append).entries();
  }

  /** The entry about the step; behind it the end alone may follow. */
  private Entry record() {
    return entries().get(entries().size() - (completes ? 2 : 1));
  }

  /** What waited for the next record. */
  private List<Entry> takenAlong() {
    return entries().subList(0, entries().indexOf(record()));
  }

  private TransactionOptions options() {
    return TransactionOptions.DEFAULT.withOperationId(execution.claimed().operationId());
  }

  /**
   * What is under the number, now and for ever. A run that has ended with it belongs to nobody:
   * there this execution leaves, and whoever waits for the end is told by the database.
   */
  private Found settle(Backoff backoff) {
    Entry last = record();
    List<Entry> entries = new ArrayList<>(takenAlong());
    Entry instead =
        new Entry(
            last.seq(),
            kind == Kind.UNDONE ? Kind.UNDO_ATTEMPT : Kind.ATTEMPT,
            step,
            null,
            "the reply to its commit was lost",
            last.at());
    entries.add(instead);
    execution.append(
        new Append(
            execution.claimed().run(),
            execution.claimed().turn(),
            entries,
            List.of(),
            List.of(),
            new Change.Keep()));
    while (true) {
      execution.tenure().require();
      try {
        return execution
            .tools()
            .store()
            .find(
                execution.tenure().executor(),
                execution.claimed().run(),
                execution.claimed().turn(),
                last.seq());
      } catch (StoreUnavailable e) {
        pause(backoff.next());
      }
    }
  }

  private static void pause(Duration wait) {
    try {
      new Doorbell().await(wait);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Stop.lost("interrupted");
    }
  }

  private Append append(T result) {
    String value = write.apply(result);
    append = append == null ? first(value) : again(append, value);
    return append;
  }

  private Append first(@Nullable String value) {
    Journal journal = execution.journal();
    Instant now = execution.now();
    return completes
        ? journal.appendLast(step, value, now)
        : journal.append(kind, step, value, null, now, List.of(), List.of(), new Change.Keep());
  }

  /** The work was done again, and has perhaps found something else. */
  private Append again(Append before, @Nullable String value) {
    int from = seq();
    List<Entry> entries =
        before.entries().stream()
            .map(
                entry ->
                    entry.seq() < from
                        ? entry
                        : new Entry(
                            entry.seq(), entry.kind(), entry.step(), value, null, entry.at()))
            .toList();
    return new Append(before.run(), before.turn(), entries, List.of(), List.of(), before.change());
  }

  @Override
  public void commit(Connection connection, String operationId, List<Message> messages, T result)
      throws SQLException {
    try {
      execution.cancelled(
          execution
              .tools()
              .store()
              .appendAndCommit(
                  connection,
                  execution.tenure().executor(),
                  append(result),
                  messages,
                  operationId));
    } catch (TakenOver e) {
      throw Stop.lost("the run belongs to another executor");
    }
  }

  @Override
  public void record(Connection connection, String operationId, List<Message> messages, T result)
      throws SQLException {
    try {
      execution
          .tools()
          .store()
          .append(connection, execution.tenure().executor(), append(result), messages, operationId);
    } catch (TakenOver e) {
      throw Stop.lost("the run belongs to another executor");
    }
  }

  @Override
  public Outcome resolve() {
    return new Outcome.Unknown("the run's journal says");
  }
}
