package dev.holdfast.reconcile;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs that follow one another until this is closed. Thread-safe. */
public final class Schedule implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Schedule.class);

  private final Reconciliation reconciliation;
  private final Duration interval;
  private final ReconcileListener listener;
  private final Thread thread;

  Schedule(Reconciliation reconciliation, Duration interval, ReconcileListener listener) {
    this.reconciliation = reconciliation;
    this.interval = interval;
    this.listener = listener;
    this.thread = new Thread(this::work, "holdfast-reconcile");
    thread.setDaemon(true);
    thread.start();
  }

  private void work() {
    Doorbell never = new Doorbell();
    try {
      while (!Thread.currentThread().isInterrupted()) {
        runOnce();
        never.await(interval);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void runOnce() throws InterruptedException {
    try {
      Report report = reconciliation.run();
      tell(() -> listener.ran(report));
    } catch (RuntimeException e) {
      if (Thread.currentThread().isInterrupted()) {
        return;
      }
      LOG.warn("Could not reconcile; it is tried again in {}: {}", interval, e.getMessage());
      tell(() -> listener.failed(e));
    }
  }

  private static void tell(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      LOG.warn("A listener of reconciliations has failed", e);
    }
  }

  /** Ends the run that is under way, between two of its calls, and waits for that. */
  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
