package dev.holdfast.micrometer;

import dev.holdfast.HoldfastException;
import dev.holdfast.outbox.store.ChannelStatus;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * What the database says of channels, not older than a bound. One reader at a time asks: a database
 * that does not answer must not take all of a server's threads, so who comes meanwhile gets what
 * was seen last. Thread-safe.
 */
final class DatabaseFigures {
  private final Iterable<String> channels;
  private final Function<String, ChannelStatus> database;
  private final long maxAgeNanos;
  private final LongSupplier nanoTime;
  private final Map<String, ChannelStatus> seen = new ConcurrentHashMap<>();
  private final ReentrantLock asking = new ReentrantLock();
  private volatile long askedAt;

  DatabaseFigures(
      Iterable<String> channels,
      Function<String, ChannelStatus> database,
      Duration maxAge,
      LongSupplier nanoTime) {
    this.channels = channels;
    this.database = database;
    this.maxAgeNanos = maxAge.toNanos();
    this.nanoTime = nanoTime;
    this.askedAt = nanoTime.getAsLong() - maxAgeNanos - 1;
  }

  /** A figure of a channel; NaN while the database does not answer. */
  Supplier<Number> of(String channel, ToDoubleFunction<ChannelStatus> figure) {
    return () -> {
      refresh();
      ChannelStatus status = seen.get(channel);
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
      for (String channel : channels) {
        seen.put(channel, database.apply(channel));
      }
    } catch (HoldfastException e) {
      // What this process knows by itself is still worth having.
      seen.clear();
    }
  }
}
