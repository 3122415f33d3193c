package dev.holdfast.cli.demo;

import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Milliseconds from an order's commit to the moment a {@code read_committed} consumer has its first
 * message, or to the commit of its first shipment. Both are {@code null} when no order was ever
 * seen.
 */
record Latency(@Nullable Double p50, @Nullable Double p99) {

  static Latency ofMicros(Collection<Long> micros) {
    if (micros.isEmpty()) {
      return new Latency(null, null);
    }
    long[] sorted = micros.stream().mapToLong(Long::longValue).sorted().toArray();
    return new Latency(millis(sorted, 0.50), millis(sorted, 0.99));
  }

  /** The smallest sample that is not below the given share of all. */
  private static double millis(long[] sorted, double share) {
    int rank = (int) Math.ceil(share * sorted.length);
    long micros = sorted[Math.max(rank, 1) - 1];
    return Math.round(micros / 100.0) / 10.0;
  }
}
