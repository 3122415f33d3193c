package dev.holdfast.internal.workflow;

import dev.holdfast.DatabaseFailure;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Work and its record in one commit. Used once.
 *
 * <p>All attempts have one number in the journal: of an attempt whose reply was lost and that is
 * committed after it was looked for, and of the one that is made instead, one violates the
 * journal's key.
 */
final class StepCommit<T extends @Nullable Object> implements Closing<T> {
  private final Execution execution;
  private final Kind kind;
  private final String step;
  private final Function<T, @Nullable String> write;
  private @Nullable Append append;
  private boolean isUnknown;

  StepCommit(Execution execution, Kind kind, String step, Function<T, @Nullable String> write) {
    this.execution = execution;
    this.kind = kind;
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
    try {
      while (true) {
        execution.tenure().require();
        try {
          return execution.tools().transactions().run(options(), work, this);
        } catch (OutcomeUnknown e) {
          isUnknown = true;
        } catch (StoreUnavailable e) {
          pause(backoff.next());
        } catch (DatabaseFailure e) {
          if (!isUnknown) {
            throw e;
          }
        }
        if (isUnknown) {
          Found found = find(backoff);
          if (found.entry() != null) {
            return read.apply(found.entry());
          }
        }
      }
    } catch (RuntimeException e) {
      if (append != null) {
        execution.journal().takeBack(append);
      }
      throw e;
    }
  }

  /** Its number in the journal; known when it is committed. */
  int seq() {
    List<Entry> entries = Objects.requireNonNull(append).entries();
    return entries.get(entries.size() - 1).seq();
  }

  private TransactionOptions options() {
    return TransactionOptions.DEFAULT.withOperationId(execution.claimed().operationId());
  }

  private Found find(Backoff backoff) {
    while (true) {
      execution.tenure().require();
      try {
        Found found =
            execution
                .tools()
                .store()
                .find(execution.tenure().executor(), execution.claimed().run(), seq());
        if (!found.isOwned()) {
          throw Stop.lost("the run belongs to another executor");
        }
        return found;
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
    Append before = append;
    if (before == null) {
      append =
          execution
              .journal()
              .append(
                  kind,
                  step,
                  value,
                  null,
                  execution.now(),
                  List.of(),
                  List.of(),
                  new Change.Keep());
    } else {
      List<Entry> entries = new ArrayList<>(before.entries());
      Entry last = entries.remove(entries.size() - 1);
      entries.add(new Entry(last.seq(), kind, step, value, null, last.at()));
      append = new Append(before.run(), entries, List.of(), List.of(), new Change.Keep());
    }
    return Objects.requireNonNull(append);
  }

  @Override
  public void commit(Connection connection, String operationId, List<Message> messages, T result)
      throws SQLException {
    try {
      execution
          .tools()
          .store()
          .appendAndCommit(
              connection, execution.tenure().executor(), append(result), messages, operationId);
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
