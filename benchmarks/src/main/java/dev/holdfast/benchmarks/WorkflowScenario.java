package dev.holdfast.benchmarks;

import java.util.Locale;

/** How many workflows are in flight, and what of their run is looked at. */
enum WorkflowScenario implements CountedScenario {
  INFLIGHT_1(1, Value.RATE),
  INFLIGHT_16(16, Value.RATE),
  INFLIGHT_128(128, Value.RATE),
  P50_1(1, Value.P50),
  P99_16(16, Value.P99);

  private enum Value {
    RATE,
    P50,
    P99
  }

  private final int inFlight;
  private final Value value;

  WorkflowScenario(int inFlight, Value value) {
    this.inFlight = inFlight;
    this.value = value;
  }

  /** So many threads each start a workflow, wait for its result, and start the next. */
  int inFlight() {
    return inFlight;
  }

  double of(WorkflowRun.Measured figures) {
    return switch (value) {
      case RATE -> figures.rate();
      case P50 -> figures.p50();
      case P99 -> figures.p99();
    };
  }

  @Override
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String unit() {
    return value == Value.RATE ? "workflows/s" : "ms";
  }

  @Override
  public boolean higherIsBetter() {
    return value == Value.RATE;
  }

  @Override
  public String description() {
    String what =
        switch (value) {
          case RATE -> "completed";
          case P50 -> "from the start to the result, in the median";
          case P99 -> "from the start to the result, of 99 in 100";
        };
    return "%d in flight; %s".formatted(inFlight, what);
  }
}
