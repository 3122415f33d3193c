package dev.holdfast.benchmarks;

import java.util.Locale;

/** How many threads commit, and whether the reply may come before the second phase. */
enum TwoPhaseScenario implements CountedScenario {
  THREADS_1(1, true),
  THREADS_4(4, true),
  THREADS_16(16, true),
  SYNC_1(1, false),
  SYNC_4(4, false),
  SYNC_16(16, false);

  private final int threads;
  private final boolean asynchronous;

  TwoPhaseScenario(int threads, boolean asynchronous) {
    this.threads = threads;
    this.asynchronous = asynchronous;
  }

  @Override
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  int threads() {
    return threads;
  }

  /** Whether a commit may return when it is decided, and before it is everywhere. */
  boolean isAsynchronous() {
    return asynchronous;
  }

  @Override
  public String unit() {
    return "commits/s";
  }

  @Override
  public boolean higherIsBetter() {
    return true;
  }

  @Override
  public String description() {
    return "%d thread%s; a commit returns when it is %s"
        .formatted(
            threads, threads == 1 ? "" : "s", asynchronous ? "decided, at the earliest" : "done");
  }
}
