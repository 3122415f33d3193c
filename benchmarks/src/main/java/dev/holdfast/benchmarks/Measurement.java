package dev.holdfast.benchmarks;

/** What one run does. Scenarios are figures that are taken from it. */
enum Measurement {
  /** Sixteen writers, with the relay running. */
  COMMIT(false),

  /** Sixteen writers, and nobody who delivers. */
  COMMIT_ALONE(false),

  /** A backlog is delivered. */
  DRAIN(false),

  /** Paced writers, and a consumer that sees their messages. */
  LATENCY(false),

  /** As {@link #COMMIT}, while something as old as a dump is held open. */
  COMMIT_HELD(true),

  /** As {@link #DRAIN}, while something as old as a dump is held open. */
  DRAIN_HELD(true);

  private final boolean held;

  Measurement(boolean held) {
    this.held = held;
  }

  /** Whether a snapshot is held meanwhile, see {@link HeldSnapshot}. */
  boolean held() {
    return held;
  }

  boolean isDrain() {
    return this == DRAIN || this == DRAIN_HELD;
  }
}
