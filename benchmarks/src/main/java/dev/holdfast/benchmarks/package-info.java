/**
 * Benchmarks: contenders take turns in one run, so that a drift of the machine meets all alike, and
 * the median counts. Peers are dependencies of this module alone.
 */
@NullMarked
package dev.holdfast.benchmarks;

import org.jspecify.annotations.NullMarked;
