package dev.holdfast.internal.workflow;

import dev.holdfast.StoreUnavailable;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.workflow.store.WorkflowStore;
import dev.holdfast.workflow.store.WorkflowStore.Append;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Appends of several runs in one commit. Whoever comes and finds nobody committing commits at once,
 * for itself and whoever has queued up; the others wait for that commit, and one of them makes the
 * next. So a run that is alone waits for nobody, and of many each waits for two commits at most,
 * unless there are more than fit into one. Thread-safe.
 *
 * <p>An append is repeated until it is answered: one that is there already is not made twice.
 */
final class GroupCommit {
  private enum Phase {
    WAITING,
    LEADING,
    DONE
  }

  private static final class Slot {
    final Tenure tenure;
    final Append append;
    final int bytes;
    final Thread thread = Thread.currentThread();
    volatile Phase phase = Phase.WAITING;
    boolean isOwned;
    Optional<String> cancelled = Optional.empty();
    @Nullable RuntimeException failure;

    Slot(Tenure tenure, Append append) {
      this.tenure = tenure;
      this.append = append;
      this.bytes =
          append.entries().stream()
              .mapToInt(entry -> entry.value() == null ? 0 : entry.value().length())
              .sum();
    }
  }

  private final WorkflowStore store;
  private final int runsAtMost;
  private final int bytesAtMost;
  private final Deque<Slot> queue = new ArrayDeque<>();
  private boolean led;

  GroupCommit(WorkflowStore store, int runsAtMost, int bytesAtMost) {
    this.store = store;
    this.runsAtMost = runsAtMost;
    this.bytesAtMost = bytesAtMost;
  }

  /**
   * Returns when it is committed. An interrupt does not take it back; the flag is set then.
   *
   * @return why the run is to be cancelled, if it is
   * @throws Stop when the run belongs to somebody else, or this process has lost its lease
   * @throws RuntimeException what the database said to this append alone
   */
  Optional<String> append(Tenure tenure, Append append) {
    Slot slot = new Slot(tenure, append);
    boolean leads;
    synchronized (queue) {
      queue.add(slot);
      leads = !led;
      led = true;
    }
    if (leads) {
      lead();
    }
    boolean interrupted = false;
    while (slot.phase != Phase.DONE) {
      if (slot.phase == Phase.LEADING) {
        lead();
      } else {
        LockSupport.park(this);
        interrupted |= Thread.interrupted();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (slot.failure != null) {
      throw slot.failure;
    }
    if (!slot.isOwned) {
      throw Stop.lost("the run belongs to another executor");
    }
    return slot.cancelled;
  }

  /** Commits one batch, and appoints a successor. */
  private void lead() {
    List<Slot> batch = batch();
    try {
      commit(batch);
    } catch (RuntimeException e) {
      batch.forEach(slot -> slot.failure = e);
    } finally {
      Slot successor;
      synchronized (queue) {
        successor = queue.peek();
        led = successor != null;
      }
      if (successor != null) {
        successor.phase = Phase.LEADING;
        LockSupport.unpark(successor.thread);
      }
      for (Slot slot : batch) {
        slot.phase = Phase.DONE;
        LockSupport.unpark(slot.thread);
      }
    }
  }

  /** The oldest of one tenure, at most one of each run. */
  private List<Slot> batch() {
    List<Slot> batch = new ArrayList<>();
    Set<Long> runs = new HashSet<>();
    long bytes = 0;
    synchronized (queue) {
      for (Iterator<Slot> all = queue.iterator(); all.hasNext(); ) {
        Slot slot = all.next();
        boolean isFirst = batch.isEmpty();
        bytes += slot.bytes;
        if (!isFirst && (batch.size() >= runsAtMost || bytes > bytesAtMost)) {
          break;
        }
        if (isFirst || (batch.get(0).tenure == slot.tenure && runs.add(slot.append.run()))) {
          runs.add(slot.append.run());
          batch.add(slot);
          all.remove();
        }
      }
    }
    return batch;
  }

  private void commit(List<Slot> batch) {
    Backoff backoff =
        new Backoff(Duration.ofMillis(10), Duration.ofSeconds(1), ThreadLocalRandom.current());
    while (true) {
      try {
        write(batch);
        return;
      } catch (StoreUnavailable e) {
        if (!batch.get(0).tenure.isValid() && !batch.get(0).tenure.isClosing()) {
          // What is committed of it by now is found by whoever takes the runs over.
          return;
        }
        pause(backoff.next());
      } catch (RuntimeException e) {
        if (batch.size() == 1) {
          batch.get(0).failure = e;
          return;
        }
        // One of them cannot be written, and must not keep the others from being.
        batch.forEach(slot -> commit(List.of(slot)));
        return;
      }
    }
  }

  private void write(List<Slot> batch) {
    Map<Long, Optional<String>> owned =
        store.append(
            batch.get(0).tenure.executor(), batch.stream().map(slot -> slot.append).toList());
    for (Slot slot : batch) {
      slot.isOwned = owned.containsKey(slot.append.run());
      slot.cancelled = owned.getOrDefault(slot.append.run(), Optional.empty());
    }
  }

  /** Others wait for this commit: an interrupt of this thread is none of theirs. */
  private static void pause(Duration wait) {
    boolean interrupted = Thread.interrupted();
    try {
      new Doorbell().await(wait);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
