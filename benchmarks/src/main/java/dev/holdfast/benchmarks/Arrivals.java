package dev.holdfast.benchmarks;

/**
 * What a consumer found of the messages that were to arrive.
 *
 * @param lost numbers that never came
 * @param repeated records beyond the first of their number
 * @param inverted first records of a number that came after a later one of their key
 */
record Arrivals(long lost, long repeated, long inverted) {
  static final Arrivals NOT_COUNTED = new Arrivals(0, 0, 0);

  Arrivals plus(Arrivals other) {
    return new Arrivals(lost + other.lost, repeated + other.repeated, inverted + other.inverted);
  }

  boolean isClean() {
    return lost == 0 && repeated == 0 && inverted == 0;
  }

  String text() {
    return isClean()
        ? "all arrived once, in order per key"
        : "%,d lost, %,d repeated, %,d out of their key's order"
            .formatted(lost, repeated, inverted);
  }
}
