package dev.holdfast.internal.twophase;

import dev.holdfast.boundary.Outcome;
import dev.holdfast.internal.twophase.OwnerProtocol.Event;
import dev.holdfast.twophase.HeuristicOutcome;
import dev.holdfast.twophase.Joined;
import dev.holdfast.twophase.store.Gid;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Branches that are prepared for a transaction that somebody else ends. */
final class JoinedAttempt<T extends @Nullable Object> implements Joined<T> {
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
