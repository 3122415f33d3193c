package dev.holdfast.benchmarks;

import java.util.Map;

/**
 * A figure of one run.
 *
 * @param each what the servers have counted in it for each operation, by the {@linkplain
 *     CountedReport.Count#key() key} of the count
 */
record Counted(double value, Map<String, Double> each) {}
