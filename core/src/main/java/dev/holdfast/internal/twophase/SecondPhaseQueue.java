package dev.holdfast.internal.twophase;

import dev.holdfast.twophase.HeuristicOutcome;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.Gid;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
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
 * Decided branches of one participant that are committed behind their callers. It has threads of
 * its own, so that a participant that hangs delays no other. Thread-safe.
 */
final class SecondPhaseQueue implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SecondPhaseQueue.class);

  /**
   * One, which commits together what has come while it did the last; the others help while that
   * leaves some, so that a participant with a slow disk flushes several commits at once.
   */
  private static final int THREADS = 4;

  /** In one round trip; the first of them is seen to be done when all are. */
  private static final int TOGETHER = 8;

  private static final long IDLE_MS = 200;

  private record Job(Gid gid, String operationId) {}

  private final SecondPhase phase;
  private final Participant participant;
  private final Semaphore places;
  private final BlockingQueue<Job> queue = new LinkedBlockingQueue<>();
  private final Semaphore help = new Semaphore(0);
  private final Set<Gid> waiting = ConcurrentHashMap.newKeySet();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean closing;

  /**
   * @param places how many may wait
   */
  SecondPhaseQueue(SecondPhase phase, Participant participant, int places) {
    this.phase = phase;
    this.participant = participant;
    this.places = new Semaphore(places);
    for (int i = 0; i < THREADS; i++) {
      boolean isHelper = i > 0;
      Thread thread =
          new Thread(() -> work(isHelper), "holdfast-second-phase-" + participant + "-" + i);
      thread.setDaemon(true);
      threads.add(thread);
      thread.start();
    }
  }

  /**
   * @return false when too many wait, or it is closing
   */
  boolean offer(Gid gid, String operationId) {
    if (closing || !places.tryAcquire()) {
      return false;
    }
    waiting.add(gid);
    queue.add(new Job(gid, operationId));
    return true;
  }

  boolean isWaiting(Gid gid) {
    return waiting.contains(gid);
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
    try (Connection connection = participant.branches().connect()) {
      List<Gid> gids = jobs.stream().map(Job::gid).toList();
      if (jobs.size() == 1 || !participant.branches().commitTogether(connection, gids)) {
        jobs.forEach(job -> carryOut(job, connection));
      }
    } catch (SQLException | RuntimeException e) {
      phase.leave(participant, "committed", e);
    } finally {
      jobs.forEach(this::done);
    }
  }

  private void carryOut(Job job, Connection connection) {
    try {
      phase.commit(participant, connection, job.gid(), job.operationId());
    } catch (HeuristicOutcome e) {
      log.error("{}", e.getMessage());
    }
    done(job);
  }

  /** Once for each. */
  private void done(Job job) {
    if (waiting.remove(job.gid())) {
      phase.done(job.gid());
      places.release();
    }
  }

  /** Takes nothing any more; what waits is finished, or left to recovery when that takes long. */
  void shut() {
    closing = true;
  }

  @Override
  public void close() {
    shut();
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
