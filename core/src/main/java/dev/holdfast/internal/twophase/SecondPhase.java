package dev.holdfast.internal.twophase;

import dev.holdfast.HoldfastException;
import dev.holdfast.twophase.HeuristicOutcome;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.Finish;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends branches whose operation is decided: at once, or behind the caller. What cannot be ended
 * here stays prepared and is found by recovery. Thread-safe.
 */
final class SecondPhase implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SecondPhase.class);

  /** Others prepare as well, and so do operations that are not that far. */
  private static final int SHARE_OF_SLOTS = 4;

  private final Coordinator coordinator;
  private final boolean isAsynchronous;
  private final Map<Participant, SecondPhaseQueue> queues = new ConcurrentHashMap<>();
  private final int pendingAtMost;
  private final Map<Participant, Boolean> unreachable = new ConcurrentHashMap<>();
  private boolean closing;

  SecondPhase(Coordinator coordinator, TwoPhaseSettings settings) {
    this.coordinator = coordinator;
    this.isAsynchronous = settings.asynchronousSecondPhase();
    this.pendingAtMost = settings.pendingAtMost();
  }

  /**
   * Asked for once, when nobody holds a connection: how many may wait for their commit depends on
   * what the participant can hold.
   */
  void open(Participant participant) {
    if (isAsynchronous && !participant.branches().endsWhereItWasPrepared()) {
      int share = participant.branches().slots() / SHARE_OF_SLOTS;
      int places = Math.max(1, Math.min(pendingAtMost, share));
      open(participant, places);
    }
  }

  private synchronized void open(Participant participant, int places) {
    if (!closing) {
      queues.computeIfAbsent(participant, unknown -> new SecondPhaseQueue(this, unknown, places));
    }
  }

  /** Whether the branch's commit waits here for its turn. */
  boolean isWaiting(Gid gid) {
    return queues.values().stream().anyMatch(queue -> queue.isWaiting(gid));
  }

  /**
   * Commits a branch, or sees to it that somebody does.
   *
   * @throws HeuristicOutcome when somebody else rolled it back
   */
  void commit(OpenBranch branch, String operationId) {
    Gid gid = Objects.requireNonNull(branch.gid());
    Participant participant = branch.participant();
    SecondPhaseQueue queue = queues.get(participant);
    if (queue != null && queue.offer(gid, operationId)) {
      branch.close();
      return;
    }
    if (commit(participant, branch.raw(), gid, operationId)) {
      branch.ended();
    }
  }

  /**
   * Commits on a connection that has nothing open, or leaves it to recovery.
   *
   * @return whether nothing is prepared there any more
   * @throws HeuristicOutcome when somebody else rolled it back
   */
  boolean commit(Participant participant, Connection connection, Gid gid, String operationId) {
    Finish answer;
    try {
      answer = participant.branches().commitPrepared(connection, gid);
    } catch (SQLException e) {
      leave(participant, "committed", e);
      return false;
    }
    if (!RecoveryProtocol.needsWitness(answer)) {
      return answer == Finish.DONE;
    }
    Optional<Heuristic.Kind> found;
    try {
      found = coordinator.goneThoughDecided(participant, gid);
    } catch (HoldfastException e) {
      leave(participant, "found", e);
      return false;
    }
    if (found.isPresent()) {
      coordinator.report(gid, operationId, found.get());
      throw new HeuristicOutcome(
          "Operation %s is committed, but not at participant %s: somebody else has rolled its branch %s back there. This is recorded; see holdfast doctor, and repair the data by hand."
              .formatted(operationId, participant, gid),
          operationId);
    }
    return true;
  }

  /** Rolls back what is prepared or may be, or leaves it to recovery. */
  void rollback(OpenBranch branch) {
    Gid gid = Objects.requireNonNull(branch.gid());
    BranchStore store = branch.store();
    // Where the reply to the prepare was lost the connection is gone, and another one does it.
    branch.undo();
    if (!store.endsWhereItWasPrepared()) {
      branch.close();
    }
    try {
      if (branch.isUsed()) {
        if (store.rollbackPrepared(branch.raw(), gid) != Finish.HELD) {
          branch.ended();
        }
      } else {
        try (Connection connection = store.connect()) {
          store.rollbackPrepared(connection, gid);
        }
      }
    } catch (SQLException e) {
      leave(branch.participant(), "rolled back", e);
    }
  }

  /** Said once until it works again: with a participant that is down there may be thousands. */
  void leave(Participant participant, String what, Exception e) {
    if (unreachable.put(participant, Boolean.TRUE) == null) {
      log.warn(
          "participant {}: a branch could not be {} ({}); it stays prepared and is left to recovery",
          participant,
          what,
          e.getMessage());
    }
  }

  /** Recovery has reached the participant. */
  void reached(Participant participant) {
    unreachable.remove(participant);
  }

  /** Nobody here is at it any more. */
  void done(Gid gid) {
    coordinator.live().remove(gid);
  }

  /** Finishes what waits. */
  @Override
  public void close() {
    shut();
    queues.values().forEach(SecondPhaseQueue::close);
  }

  private synchronized void shut() {
    closing = true;
    queues.values().forEach(SecondPhaseQueue::shut);
  }
}
