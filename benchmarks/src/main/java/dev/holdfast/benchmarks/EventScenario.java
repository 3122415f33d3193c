package dev.holdfast.benchmarks;

import java.util.Locale;

/** What is done with a log of events. */
enum EventScenario implements CountedScenario {
  APPEND_1(1, 1, "one event an append, one after the other"),
  APPEND_16(16, 1, "one event an append, 16 at once"),
  APPEND_BATCH(1, 100, "100 events an append, one after the other"),
  APPEND_DCB(1, 1, "one event an append, on the condition that there is no other of its tag"),
  READ(0, 0, "all events that are there, in their order"),
  REBUILD(0, 0, "all events that are there into rows of a plain table, with a checkpoint");

  private final int threads;
  private final int batch;
  private final String what;

  EventScenario(int threads, int batch, String what) {
    this.threads = threads;
    this.batch = batch;
    this.what = what;
  }

  /** 0 where nothing is appended. */
  int threads() {
    return threads;
  }

  /** How many events there are in an append. */
  int batch() {
    return batch;
  }

  boolean appends() {
    return threads > 0;
  }

  @Override
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String unit() {
    return "events/s";
  }

  @Override
  public boolean higherIsBetter() {
    return true;
  }

  @Override
  public String description() {
    return what;
  }
}
