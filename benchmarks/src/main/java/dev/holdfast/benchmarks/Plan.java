package dev.holdfast.benchmarks;

import java.time.Duration;

/**
 * How much is done.
 *
 * @param messages of the backlog in {@code drain}
 * @param rounds that count, after a warm-up
 * @param commit how long a run of {@code commit} takes
 * @param latency how long a run of {@code latency} takes
 * @param updates rows updated elsewhere while a snapshot is held
 * @param limit the longest a run may take to deliver what is to be delivered
 */
record Plan(
    int messages, int rounds, Duration commit, Duration latency, int updates, Duration limit) {
  static final int UPDATES = 50_000;

  static Plan of(int messages, int rounds) {
    return new Plan(
        messages,
        rounds,
        Duration.ofMillis(2_500),
        Duration.ofSeconds(8),
        UPDATES,
        Duration.ofSeconds(90));
  }

  /** The same in small, for compilers and caches. */
  Plan warmUp() {
    return new Plan(
        Math.max(1, messages / 4), 1, commit.dividedBy(2), latency.dividedBy(4), updates, limit);
  }
}
