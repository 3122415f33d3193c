package dev.holdfast.benchmarks;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Numbered operations by so many threads at once, each of which takes the next number when its last
 * one is done. The first of them warm up connections and statements, and are not timed. Used once.
 */
final class Operations {
  private static final int WARM_DIVISOR = 10;
  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final Duration SAMPLE = Duration.ofMillis(1);

  private final int threads;
  private final int timed;
  private final int warm;
  private final Operation operation;
  private final double[] millis;
  private final AtomicLong next = new AtomicLong();
  private final AtomicLong done = new AtomicLong();
  private final AtomicLong timedSince = new AtomicLong();
  private final AtomicBoolean failed = new AtomicBoolean();

  /** What a thread does with a number. */
  @FunctionalInterface
  interface Operation {
    void run(long number) throws Exception;
  }

  Operations(int threads, int timed, Operation operation) {
    this.threads = threads;
    this.timed = timed;
    this.warm = warm(threads, timed);
    this.operation = operation;
    this.millis = new double[timed];
  }

  /** How many there are in all, numbered from 0 on. */
  static int all(int threads, int timed) {
    return warm(threads, timed) + timed;
  }

  private static int warm(int threads, int timed) {
    return Math.max(threads, timed / WARM_DIVISOR);
  }

  /** Returns when all are done. */
  void run() {
    List<Background> workers = new ArrayList<>();
    long began = Doorbell.nanos();
    try {
      for (int i = 0; i < threads; i++) {
        workers.add(Background.start("operations-" + i, this::work));
      }
      while (done.get() < warm + timed && !failed.get()) {
        new Doorbell().await(SAMPLE);
        if (Doorbell.hasPassed(LIMIT, began)) {
          throw new BenchmarkFailure(
              "%,d of %,d operations were done within %s"
                  .formatted(done.get(), warm + timed, LIMIT));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchmarkFailure("Interrupted in the middle of a run", e);
    } finally {
      workers.forEach(Background::close);
    }
  }

  private void work(Background.Running running) throws Exception {
    try {
      for (long number = next.getAndIncrement();
          number < warm + timed && running.isWanted();
          number = next.getAndIncrement()) {
        long began = Doorbell.nanos();
        operation.run(number);
        if (number >= warm) {
          millis[(int) number - warm] = Doorbell.since(began).toNanos() / 1e6;
        }
        if (done.incrementAndGet() == warm) {
          timedSince.set(Doorbell.nanos());
        }
      }
    } catch (Exception e) {
      failed.set(true);
      throw e;
    }
  }

  /** Timed operations a second, until now. */
  double rate() {
    return timed / ((Doorbell.nanos() - timedSince.get()) / 1e9);
  }

  /** How long each of those that are timed took. */
  double[] millis() {
    return millis.clone();
  }
}
