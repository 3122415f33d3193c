package dev.holdfast.benchmarks;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Paced writers, and a consumer in this process, so that one clock tells both when a commit has
 * returned and when its message is seen. A message that is seen before its commit has returned to
 * the writer counts as none.
 *
 * <p>A relay takes its time to start, and its compilers to learn what it does: the pace begins when
 * a first message has come through, and the messages of the first part of it do not count.
 */
final class LatencyRun {
  private static final long NANOS = 1_000_000_000L;

  /** This part of the time comes before it, and does not count. */
  private static final int WARM_UP_PART = 4;

  private final Venue venue;
  private final Entry entry;
  private final Plan plan;
  private final int warmUp;
  private final int messages;
  private final AtomicLongArray committed;
  private final AtomicLongArray seen;
  private final AtomicInteger arrived = new AtomicInteger();

  LatencyRun(Venue venue, Entry entry, Plan plan) {
    this.venue = venue;
    this.entry = entry;
    this.plan = plan;
    int counted =
        Math.max(1, (int) (plan.latency().toMillis() * BestSettings.PACE_PER_SECOND / 1_000));
    this.warmUp = 1 + counted / WARM_UP_PART;
    this.messages = warmUp + counted;
    this.committed = new AtomicLongArray(messages);
    this.seen = new AtomicLongArray(messages);
  }

  Figures measure() {
    entry.start(true);
    try (Reader reader = new Reader(venue.bootstrapServers(), venue.topic(), messages)) {
      Background consumer = Background.start("consumer", running -> read(reader, running));
      try {
        commit(0);
        awaitArrivals(1);
        write();
        awaitArrivals(messages);
      } finally {
        consumer.close();
      }
      return Figures.latency(latencies(), reader.arrivals(messages));
    }
  }

  private void commit(int number) {
    entry.commit(number);
    committed.set(number, Doorbell.nanos());
  }

  private void read(Reader reader, Background.Running running) {
    while (running.isWanted()) {
      reader.poll(
          (number, nanos) -> {
            seen.set(number, nanos);
            arrived.incrementAndGet();
          });
    }
  }

  /** Each writer has its share of the instants at which there is something to commit. */
  private void write() {
    List<Background> writers = new ArrayList<>();
    long began = Doorbell.nanos();
    AtomicInteger left = new AtomicInteger(BestSettings.PACED_WRITERS);
    for (int writer = 0; writer < BestSettings.PACED_WRITERS; writer++) {
      int from = 1 + writer;
      writers.add(
          Background.start(
              "paced-writer-" + writer,
              running -> {
                try {
                  for (int number = from;
                      number < messages && running.isWanted();
                      number += BestSettings.PACED_WRITERS) {
                    awaitDue(began + number * NANOS / BestSettings.PACE_PER_SECOND);
                    commit(number);
                  }
                } finally {
                  left.decrementAndGet();
                }
              }));
    }
    awaitUntil(() -> left.get() == 0, plan.latency().multipliedBy(2).plus(plan.limit()));
    writers.forEach(Background::close);
  }

  private static void awaitDue(long nanos) {
    for (long wait = nanos - Doorbell.nanos(); wait > 0; wait = nanos - Doorbell.nanos()) {
      LockSupport.parkNanos(wait);
    }
  }

  private void awaitArrivals(int count) {
    awaitUntil(() -> arrived.get() >= count, plan.limit());
  }

  private static void awaitUntil(java.util.function.BooleanSupplier condition, Duration atMost) {
    long began = Doorbell.nanos();
    try {
      while (!condition.getAsBoolean() && !Doorbell.hasPassed(atMost, began)) {
        new Doorbell().await(Duration.ofMillis(5));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchmarkFailure("Interrupted during a run", e);
    }
  }

  private double[] latencies() {
    double[] millis = new double[messages - warmUp];
    int count = 0;
    for (int i = warmUp; i < messages; i++) {
      if (seen.get(i) != 0) {
        millis[count++] = Math.max(0, seen.get(i) - committed.get(i)) / 1e6;
      }
    }
    return java.util.Arrays.copyOf(millis, count);
  }
}
