package dev.holdfast.benchmarks;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Sixteen threads that commit as fast as they can. */
final class Writers {
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
      // Until every connection has been used and its statements are prepared.
      new Doorbell().await(time.dividedBy(10));
      long before = committed.get();
      long began = Doorbell.nanos();
      new Doorbell().await(time);
      long after = committed.get();
      return (after - before) / (Doorbell.since(began).toNanos() / 1e9);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchmarkFailure("Interrupted while writers were at work", e);
    } finally {
      writers.forEach(Background::close);
    }
  }
}
