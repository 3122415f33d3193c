package dev.holdfast.internal.twophase;

import dev.holdfast.NoTransaction;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.internal.twophase.OwnerProtocol.Event;
import dev.holdfast.twophase.HeuristicOutcome;
import dev.holdfast.twophase.Joined;
import dev.holdfast.twophase.store.Gid;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Branches that are prepared for a transaction that somebody else ends. */
final class JoinedAttempt<T extends @Nullable Object> implements Joined<T> {
  private static final Logger log = LoggerFactory.getLogger(JoinedAttempt.class);

  private final Coordinator coordinator;
  private final AtomicAttempt attempt;
  private final List<OpenBranch> writers;
  private final T result;
  private boolean over;

  JoinedAttempt(
      Coordinator coordinator, AtomicAttempt attempt, List<OpenBranch> writers, T result) {
    this.coordinator = coordinator;
    this.attempt = attempt;
    this.writers = writers;
    this.result = result;
  }

  @Override
  public T result() {
    return result;
  }

  @Override
  public void committed() {
    if (!over && !writers.isEmpty() && !isDecided()) {
      end(Event.REPLY_LOST);
      return;
    }
    decided();
  }

  /**
   * Asked of the database, since a caller may have rolled back to a savepoint from before the work
   * and have committed the rest.
   */
  private boolean isDecided() {
    try {
      Gid first = gids().get(0);
      if (coordinator.decisions().operationOf(first).isPresent()) {
        return true;
      }
      if (coordinator.isForgotten(first)) {
        // Recovery has carried it out, and some time has passed since.
        return false;
      }
    } catch (StoreUnavailable e) {
      log.warn(
          "operation {}: whether it is decided cannot be asked ({}); its branches are left to recovery",
          attempt.operationId(),
          e.getMessage());
      return false;
    }
    end(Event.REPLY_LOST);
    throw new NoTransaction(
        "Operation "
            + attempt.operationId()
            + " was said to be committed, and is not: the transaction is open, was rolled back, or"
            + " was rolled back to a savepoint from before the operation. Its branches stay prepared"
            + " until that is known, and are ended by recovery. Call committed() after the commit,"
            + " and rolledBack() where the work was undone.");
  }

  /** Where it is known. */
  void decided() {
    end(Event.DECIDED);
    if (attempt.failure() instanceof HeuristicOutcome heuristic) {
      throw heuristic;
    }
  }

  @Override
  public void rolledBack() {
    end(Event.FAILED);
  }

  @Override
  public Outcome resolve() {
    if (writers.isEmpty()) {
      return new Outcome.Unknown(
          "nothing was changed in another database; look for the operation's effects in your own tables");
    }
    Outcome outcome = coordinator.resolve(gids());
    if (outcome instanceof Outcome.Committed) {
      end(Event.DECIDED);
    } else if (outcome instanceof Outcome.Rejected) {
      end(Event.FAILED);
    }
    return outcome;
  }

  List<Gid> gids() {
    return writers.stream().map(branch -> Objects.requireNonNull(branch.gid())).toList();
  }

  @Override
  public void close() {
    end(Event.REPLY_LOST);
  }

  private void end(Event event) {
    if (over) {
      return;
    }
    over = true;
    try (attempt) {
      if (!writers.isEmpty()) {
        attempt.conclude(coordinator.protocol(), event, writers);
      }
    }
  }
}
