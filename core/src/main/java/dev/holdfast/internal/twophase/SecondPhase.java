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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends branches whose operation is decided: at once, or behind the caller. What cannot be ended
 * here stays prepared and is found by recovery. Thread-safe.
 */
final class SecondPhase implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SecondPhase.class);

  /**
   * One, which commits together what has come while it did the last; the others help while that
   * leaves some, so that a participant with a slow disk flushes several commits at once.
   */
  private static final int THREADS = 4;

  /** Others prepare as well, and so do operations that are not that far. */
  private static final int SHARE_OF_SLOTS = 4;

  /** In one round trip; the first of them is seen to be done when all are. */
  private static final int TOGETHER = 8;

  private static final long IDLE_MS = 200;

  private record Job(Participant participant, Gid gid, String operationId) {}

  private final Coordinator coordinator;
  private final boolean isAsynchronous;
  private final BlockingQueue<Job> queue;
  private final Semaphore help = new Semaphore(0);
  private final Set<Gid> waiting = ConcurrentHashMap.newKeySet();
  private final List<Thread> threads = new ArrayList<>();
  private final Map<Participant, Semaphore> places = new ConcurrentHashMap<>();
  private final int pendingAtMost;
  private final Map<Participant, Boolean> unreachable = new ConcurrentHashMap<>();
  private volatile boolean closing;

  SecondPhase(Coordinator coordinator, TwoPhaseSettings settings) {
    this.coordinator = coordinator;
    this.isAsynchronous = settings.asynchronousSecondPhase();
    this.pendingAtMost = settings.pendingAtMost();
    this.queue = new LinkedBlockingQueue<>();
  }

  void start() {
    if (!isAsynchronous) {
      return;
    }
    for (int i = 0; i < THREADS; i++) {
      boolean isHelper = i > 0;
      Thread thread = new Thread(() -> work(isHelper), "holdfast-second-phase-" + i);
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
  }

  /** Whether the branch's commit waits here for its turn. */
  boolean isWaiting(Gid gid) {
    return waiting.contains(gid);
  }

  /**
   * Commits a branch, or sees to it that somebody does.
   *
   * @throws HeuristicOutcome when somebody else rolled it back
   */
  void commit(OpenBranch branch, String operationId) {
    Gid gid = Objects.requireNonNull(branch.gid());
    Participant participant = branch.participant();
    boolean canWait = isAsynchronous && !participant.branches().endsWhereItWasPrepared();
    if (canWait && offer(new Job(participant, gid, operationId))) {
      branch.close();
      return;
    }
    if (commit(participant, branch.raw(), gid, operationId)) {
      branch.ended();
    }
  }

  private boolean offer(Job job) {
    if (closing || !places(job.participant()).tryAcquire()) {
      return false;
    }
    waiting.add(job.gid());
    queue.add(job);
    return true;
  }

  private Semaphore places(Participant participant) {
    return places.computeIfAbsent(
        participant,
        unknown ->
            new Semaphore(
                Math.max(1, Math.min(pendingAtMost, unknown.branches().slots() / SHARE_OF_SLOTS))));
  }

  /**
   * Commits on a connection that has nothing open, or leaves it to recovery.
   *
   * @return whether nothing is prepared there any more
   * @throws HeuristicOutcome when somebody else rolled it back
   */
  private boolean commit(
      Participant participant, Connection connection, Gid gid, String operationId) {
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

  private void work(boolean isHelper) {
    List<Job> jobs = new ArrayList<>();
    try {
      while (!closing || !queue.isEmpty()) {
        Job first = isHelper ? help() : queue.poll(IDLE_MS, TimeUnit.MILLISECONDS);
        if (first != null) {
          jobs.add(first);
          queue.drainTo(jobs, TOGETHER - 1);
          if (!queue.isEmpty()) {
            help.release();
          }
          carryOut(jobs);
          jobs.clear();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private @Nullable Job help() throws InterruptedException {
    if (help.tryAcquire(IDLE_MS, TimeUnit.MILLISECONDS)) {
      help.drainPermits();
    }
    return queue.poll();
  }

  private void carryOut(List<Job> jobs) {
    for (Participant participant : jobs.stream().map(Job::participant).distinct().toList()) {
      List<Job> its = jobs.stream().filter(job -> job.participant().equals(participant)).toList();
      try (Connection connection = participant.branches().connect()) {
        List<Gid> gids = its.stream().map(Job::gid).toList();
        if (its.size() == 1 || !participant.branches().commitTogether(connection, gids)) {
          its.forEach(job -> carryOut(job, connection));
        }
      } catch (SQLException | RuntimeException e) {
        leave(participant, "committed", e);
      } finally {
        its.forEach(this::done);
      }
    }
  }

  private void carryOut(Job job, Connection connection) {
    try {
      commit(job.participant(), connection, job.gid(), job.operationId());
    } catch (HeuristicOutcome e) {
      log.error("{}", e.getMessage());
    }
    done(job);
  }

  /** Once for each. */
  private void done(Job job) {
    if (waiting.remove(job.gid())) {
      coordinator.live().remove(job.gid());
      places(job.participant()).release();
    }
  }

  /** Finishes what waits. */
  @Override
  public void close() {
    closing = true;
    for (Thread thread : threads) {
      try {
        thread.join(TimeUnit.SECONDS.toMillis(10));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
