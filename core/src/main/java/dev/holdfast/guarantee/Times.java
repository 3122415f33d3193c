package dev.holdfast.guarantee;

import java.time.Duration;
import java.util.Optional;

/** Spans of time, for people: the largest unit that divides them. */
final class Times {
  private Times() {}

  static String of(Optional<Duration> time) {
    return time.map(Times::of).orElse("without limit");
  }

  static String of(Duration time) {
    if (time.isZero()) {
      return "no stated time";
    }
    long seconds = time.toSeconds();
    if (!time.equals(Duration.ofSeconds(seconds))) {
      return time.toString();
    }
    if (seconds % 86_400 == 0 && seconds > 86_400) {
      return seconds / 86_400 + " d";
    }
    if (seconds % 3_600 == 0) {
      return seconds / 3_600 + " h";
    }
    return seconds % 60 == 0 ? seconds / 60 + " min" : seconds + " s";
  }
}
