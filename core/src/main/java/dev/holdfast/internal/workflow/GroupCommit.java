package dev.holdfast.internal.workflow;

import dev.holdfast.StoreUnavailable;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Combiner;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.workflow.store.WorkflowStore;
import dev.holdfast.workflow.store.WorkflowStore.Append;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Appends of several runs in one commit, as {@link Combiner} brings them together. Thread-safe.
 *
 * <p>An append is repeated until it is answered: one that is there already is not made twice.
 */
final class GroupCommit {
  private static final class Slot {
    final Tenure tenure;
    final Append append;
    final int bytes;
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
  private final Combiner<Slot> combiner = new Combiner<>(Room::new, this::commit);

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
    combiner.submit(slot);
    if (slot.failure != null) {
      throw slot.failure;
    }
    if (!slot.isOwned) {
      throw Stop.lost("the run belongs to another executor");
    }
    return slot.cancelled;
  }

  /** Takes the oldest of one tenure, and at most one of each run. */
  private final class Room implements Predicate<Slot> {
    private final Set<Long> runs = new HashSet<>();
    private @Nullable Tenure tenure;
    private long bytes;
    private boolean isFull;

    @Override
    public boolean test(Slot slot) {
      if (tenure == null) {
        tenure = slot.tenure;
      }
      // Nothing is taken behind one that was left, lest it be overtaken for ever.
      isFull |= !runs.isEmpty() && (runs.size() >= runsAtMost || bytes + slot.bytes > bytesAtMost);
      if (isFull || slot.tenure != tenure || !runs.add(slot.append.run())) {
        return false;
      }
      bytes += slot.bytes;
      return true;
    }
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
