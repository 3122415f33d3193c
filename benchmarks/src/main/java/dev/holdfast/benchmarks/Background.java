package dev.holdfast.benchmarks;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A thread that runs until it is closed. What it fails of is reported then. */
final class Background implements AutoCloseable {
  private static final long STOP_MS = 30_000;

  private final Thread thread;
  private final AtomicBoolean wanted = new AtomicBoolean(true);
  private volatile @Nullable Throwable failure;

  private Background(String name, Task task) {
    this.thread =
        new Thread(
            () -> {
              try {
                task.run(wanted::get);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              } catch (Exception | Error e) {
                failure = e;
              }
            },
            name);
    thread.setDaemon(true);
  }

  /** What the thread does. */
  interface Task {
    void run(Running running) throws Exception;
  }

  /** Asked by the task whether to go on. */
  interface Running {
    boolean isWanted();
  }

  static Background start(String name, Task task) {
    Background background = new Background(name, task);
    background.thread.start();
    return background;
  }

  /** Ends it and waits for its end. */
  @Override
  public void close() {
    wanted.set(false);
    join();
    Throwable failed = failure;
    if (failed != null) {
      throw new BenchmarkFailure("The thread " + thread.getName() + " failed", failed);
    }
  }

  private void join() {
    try {
      thread.join(STOP_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchmarkFailure("Interrupted while ending " + thread.getName(), e);
    }
    if (thread.isAlive()) {
      throw new BenchmarkFailure("The thread " + thread.getName() + " does not end.");
    }
  }
}
