package dev.holdfast.internal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Has what several threads come with done together by one of them. Whoever comes and finds nobody
 * at work begins at once, with its own and whatever has queued up; the others wait for that, and
 * one of them does the next. So one that is alone waits for nobody, and of many each waits for two
 * rounds at most, unless there are more than fit into one. Thread-safe.
 *
 * @param <T> what they come with; the work leaves in it what it has come to
 */
public final class Combiner<T> {
  private enum Phase {
    WAITING,
    LEADING,
    DONE
  }

  private static final class Slot<T> {
    final T item;
    final Thread thread = Thread.currentThread();
    volatile Phase phase = Phase.WAITING;
    @Nullable RuntimeException failure;

    Slot(T item) {
      this.item = item;
    }
  }

  private final Supplier<Predicate<T>> rooms;
  private final Consumer<List<T>> work;
  private final Deque<Slot<T>> queue = new ArrayDeque<>();
  private boolean led;

  /**
   * @param rooms says for each round by itself what fits into it beside what it was asked before;
   *     the oldest is in it whatever it says
   */
  public Combiner(Supplier<Predicate<T>> rooms, Consumer<List<T>> work) {
    this.rooms = rooms;
    this.work = work;
  }

  /**
   * Returns when it is done. An interrupt does not take it back; the flag is set then.
   *
   * @throws RuntimeException what the work has thrown, to all that were in the round
   */
  public void submit(T item) {
    Slot<T> slot = new Slot<>(item);
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
  }

  /** Does one round, and appoints a successor. */
  private void lead() {
    List<Slot<T>> round = round();
    try {
      work.accept(round.stream().map(slot -> slot.item).toList());
    } catch (RuntimeException e) {
      round.forEach(slot -> slot.failure = e);
    } finally {
      Slot<T> successor;
      synchronized (queue) {
        successor = queue.peek();
        led = successor != null;
      }
      if (successor != null) {
        successor.phase = Phase.LEADING;
        LockSupport.unpark(successor.thread);
      }
      for (Slot<T> slot : round) {
        slot.phase = Phase.DONE;
        LockSupport.unpark(slot.thread);
      }
    }
  }

  private List<Slot<T>> round() {
    List<Slot<T>> round = new ArrayList<>();
    Predicate<T> fits = rooms.get();
    synchronized (queue) {
      for (Iterator<Slot<T>> all = queue.iterator(); all.hasNext(); ) {
        Slot<T> slot = all.next();
        if (fits.test(slot.item) || round.isEmpty()) {
          round.add(slot);
          all.remove();
        }
      }
    }
    return round;
  }
}
