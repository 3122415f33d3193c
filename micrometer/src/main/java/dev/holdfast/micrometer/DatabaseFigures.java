package dev.holdfast.micrometer;

import dev.holdfast.HoldfastException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * What the database says of channels, say, not older than a bound. One reader at a time asks: a
 * database that does not answer must not take all of a server's threads, so who comes meanwhile
 * gets what was seen last. Thread-safe.
 */
final class DatabaseFigures<T> {
  private final Iterable<String> names;
  private final Function<String, T> database;
  private final long maxAgeNanos;
  private final LongSupplier nanoTime;
  private final Map<String, T> seen = new ConcurrentHashMap<>();
  private final ReentrantLock asking = new ReentrantLock();
  private volatile long askedAt;

  DatabaseFigures(
      Iterable<String> names,
      Function<String, T> database,
      Duration maxAge,
      LongSupplier nanoTime) {
    this.names = names;
    this.database = database;
    this.maxAgeNanos = maxAge.toNanos();
    this.nanoTime = nanoTime;
    this.askedAt = nanoTime.getAsLong() - maxAgeNanos - 1;
  }

  /** A figure of one of them; NaN while the database does not answer. */
  Supplier<Number> of(String name, ToDoubleFunction<T> figure) {
    return () -> {
      refresh();
      T status = seen.get(name);
      return status == null ? Double.NaN : figure.applyAsDouble(status);
    };
  }

  private void refresh() {
    if (nanoTime.getAsLong() - askedAt <= maxAgeNanos || !asking.tryLock()) {
      return;
    }
    try {
      ask();
    } finally {
      askedAt = nanoTime.getAsLong();
      asking.unlock();
    }
  }

  private void ask() {
    try {
      for (String name : names) {
        seen.put(name, database.apply(name));
      }
    } catch (HoldfastException e) {
      // What this process knows by itself is still worth having.
      seen.clear();
    }
  }
}
