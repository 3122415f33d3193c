package dev.holdfast.benchmarks;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/** Sixteen threads that commit as fast as they can. */
final class Writers {
  /** Transactions of each writer before its time is taken. */
  private static final int WARM = 5;

  private static final Duration LIMIT = Duration.ofSeconds(60);

  private Writers() {}

  /** Transactions a second, over a time that begins when all are under way. */
  static double rate(Entry entry, Duration time) {
    AtomicLong numbers = new AtomicLong();
    AtomicLong committed = new AtomicLong();
    List<Background> writers = new ArrayList<>();
    try {
      for (int i = 0; i < BestSettings.WRITERS; i++) {
        writers.add(
            Background.start(
                "writer-" + i,
                running -> {
                  while (running.isWanted()) {
                    entry.commit(numbers.getAndIncrement());
                    committed.incrementAndGet();
                  }
                }));
      }
      // Until connections are open and statements prepared.
      await(() -> committed.get() >= WARM * BestSettings.WRITERS, Duration.ZERO);
      long before = committed.get();
      long began = Doorbell.nanos();
      await(() -> committed.get() > before, time);
      long after = committed.get();
      return (after - before) / (Doorbell.since(began).toNanos() / 1e9);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchmarkFailure("Interrupted while writers were at work", e);
    } finally {
      writers.forEach(Background::close);
    }
  }

  /** Waits for this long, and then on until the condition holds. */
  private static void await(BooleanSupplier condition, Duration atLeast)
      throws InterruptedException {
    long began = Doorbell.nanos();
    new Doorbell().await(atLeast);
    while (!condition.getAsBoolean()) {
      if (Doorbell.hasPassed(atLeast.plus(LIMIT), began)) {
        throw new BenchmarkFailure("Writers have not committed anything in " + LIMIT);
      }
      new Doorbell().await(Duration.ofMillis(5));
    }
  }
}
