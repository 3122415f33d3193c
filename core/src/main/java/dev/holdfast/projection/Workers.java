package dev.holdfast.projection;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Threads that run until they are told to end. */
final class Workers implements AutoCloseable {
  private static final Duration TO_END = Duration.ofSeconds(10);

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
