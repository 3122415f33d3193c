package dev.holdfast.benchmarks;

import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** A figure that is reported, and the measurement that it is taken from. */
enum Scenario {
  COMMIT(Measurement.COMMIT, Mode.TRANSACTIONAL, Figures::rate),
  COMMIT_ALONE(Measurement.COMMIT_ALONE, Mode.TRANSACTIONAL, Figures::rate),
  DRAIN(Measurement.DRAIN, Mode.TRANSACTIONAL, Figures::rate),
  DRAIN_PLAIN(Measurement.DRAIN, Mode.PLAIN, Figures::rate),
  LATENCY_P50(Measurement.LATENCY, Mode.TRANSACTIONAL, Figures::p50),
  LATENCY_P99(Measurement.LATENCY, Mode.TRANSACTIONAL, Figures::p99),
  LATENCY_PLAIN_P50(Measurement.LATENCY, Mode.PLAIN, Figures::p50),
  LATENCY_PLAIN_P99(Measurement.LATENCY, Mode.PLAIN, Figures::p99),
  COMMIT_HELD(Measurement.COMMIT_HELD, Mode.TRANSACTIONAL, Figures::rate),
  DRAIN_HELD(Measurement.DRAIN_HELD, Mode.TRANSACTIONAL, Figures::rate);

  private final Measurement measurement;
  private final Mode mode;
  private final ToDoubleFunction<Figures> figure;

  Scenario(Measurement measurement, Mode mode, ToDoubleFunction<Figures> figure) {
    this.measurement = measurement;
    this.mode = mode;
    this.figure = figure;
  }

  String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  Measurement measurement() {
    return measurement;
  }

  /** The target that is compared; a contender without it takes part with the one it has. */
  Mode mode() {
    return mode;
  }

  double of(Figures figures) {
    return figure.applyAsDouble(figures);
  }

  String unit() {
    return switch (measurement) {
      case COMMIT, COMMIT_ALONE, COMMIT_HELD -> "transactions/s";
      case DRAIN, DRAIN_HELD -> "messages/s";
      case LATENCY -> "ms";
    };
  }

  boolean higherIsBetter() {
    return measurement != Measurement.LATENCY;
  }

  /** What is measured, in a sentence. */
  String description() {
    return switch (this) {
      case COMMIT ->
          "16 writers, each transaction one order row and one 200-byte message, relay running";
      case COMMIT_ALONE -> "the same with no relay";
      case DRAIN -> "a backlog to Kafka, in Kafka transactions where the contender has them";
      case DRAIN_PLAIN -> "a backlog to Kafka, without Kafka transactions";
      case LATENCY_P50, LATENCY_P99 ->
          "commit to visible for read_committed at 500/s, with Kafka transactions where the contender has them";
      case LATENCY_PLAIN_P50, LATENCY_PLAIN_P99 ->
          "commit to visible at 500/s, without Kafka transactions";
      case COMMIT_HELD -> "commit, after 50,000 updates elsewhere and with a dump's snapshot held";
      case DRAIN_HELD -> "drain, after 50,000 updates elsewhere and with a dump's snapshot held";
    };
  }
}
