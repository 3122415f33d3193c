package dev.holdfast.benchmarks;

import java.util.Arrays;

/**
 * What one run has measured.
 *
 * @param rate per second; NaN where a run measures latency
 * @param p50 in milliseconds; NaN where a run measures a rate
 * @param p99 in milliseconds
 * @param arrivals what came of what was sent; {@link Arrivals#NOT_COUNTED} where nothing is
 */
record Figures(double rate, double p50, double p99, Arrivals arrivals) {
  static Figures rate(double rate, Arrivals arrivals) {
    return new Figures(rate, Double.NaN, Double.NaN, arrivals);
  }

  /**
   * @param millis sorted by this
   */
  static Figures latency(double[] millis, Arrivals arrivals) {
    Arrays.sort(millis);
    return new Figures(Double.NaN, percentile(millis, 0.50), percentile(millis, 0.99), arrivals);
  }

  /** The smallest value that so much of all is not above (nearest rank). */
  private static double percentile(double[] sorted, double part) {
    return sorted.length == 0
        ? Double.NaN
        : sorted[Math.max(0, (int) Math.ceil(part * sorted.length) - 1)];
  }

  /** For people who watch. */
  String text() {
    String figures =
        Double.isNaN(rate)
            ? "p50 %,.1f ms, p99 %,.1f ms".formatted(p50, p99)
            : "%,.0f /s".formatted(rate);
    return arrivals.isClean() ? figures : figures + " (" + arrivals.text() + ")";
  }
}
