package dev.holdfast.projection;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Threads that run until they are told to end. */
final class Workers implements AutoCloseable {
  private static final Duration TO_END = Duration.ofSeconds(10);
  private static final Duration BETWEEN_LOOKS = Duration.ofMillis(100);

  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean closing;

  void add(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    threads.add(thread);
  }

  void start() {
    threads.forEach(Thread::start);
  }

  /** Waits, and hardly longer than until they are told to end. */
  static void pause(Duration atMost, BooleanSupplier closing) throws InterruptedException {
    long begun = Doorbell.nanos();
    Duration left = atMost;
    while (!closing.getAsBoolean() && left.compareTo(Duration.ZERO) > 0) {
      new Doorbell().await(left.compareTo(BETWEEN_LOOKS) < 0 ? left : BETWEEN_LOOKS);
      left = atMost.minus(Doorbell.since(begun));
    }
  }

  boolean areClosing() {
    return closing;
  }

  @Override
  public void close() {
    closing = true;
    boolean interrupted = false;
    for (Thread thread : threads) {
      try {
        thread.join(TO_END.toMillis());
      } catch (InterruptedException e) {
        interrupted = true;
      }
      thread.interrupt();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
