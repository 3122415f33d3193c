package dev.holdfast.crashtest;

import java.time.Duration;
import java.util.Locale;

/** Durations as people write them. */
final class Words {
  private Words() {}

  /** To three figures or so: {@code 350 ms}, {@code 2.5 s}, {@code 20 s}, {@code 3 min}. */
  static String of(Duration duration) {
    long millis = duration.toMillis();
    if (millis < 1_000) {
      return millis + " ms";
    }
    if (millis < 9_950 && millis % 1_000 >= 50) {
      return String.format(Locale.ROOT, "%.1f s", millis / 1e3);
    }
    if (millis < 120_000) {
      return Math.round(millis / 1e3) + " s";
    }
    return Math.round(millis / 60e3) + " min";
  }
}
