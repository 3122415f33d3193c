/**
 * The benchmarks' command. Benchmarks run in a JVM of their own, since the peers that they measure
 * are on their class path and shall not be on this one. Knows how to start them, and nothing of
 * what they do.
 */
@NullMarked
package dev.holdfast.cli.bench;

import org.jspecify.annotations.NullMarked;
