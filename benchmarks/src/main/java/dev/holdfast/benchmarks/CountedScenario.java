package dev.holdfast.benchmarks;

/** What is measured of contenders whose operations the servers count along. */
interface CountedScenario {
  String id();

  String unit();

  boolean higherIsBetter();

  String description();

  /** A value of this scenario, for people. */
  default String text(double value) {
    return higherIsBetter() ? "%,.0f".formatted(value) : "%,.2f".formatted(value);
  }
}
