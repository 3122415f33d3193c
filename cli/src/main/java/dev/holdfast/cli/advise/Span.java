package dev.holdfast.cli.advise;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Spans of time as people type them: {@code 30s}, {@code 15m}, {@code 24h}, {@code 3d}. */
final class Span {
  // Nine digits are 2,700 years of minutes; more would be a slip of the hand.
  private static final Pattern FORM = Pattern.compile("([0-9]{1,9})([smhd])");

  private Span() {}

  /**
   * @param of what the span is given for
   * @throws NotUnderstood if it is no span, or none longer than zero
   */
  static Duration parse(String of, String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw new NotUnderstood(
          "%s is '%s', and must be a number and a unit: 30s, 15m, 24h or 3d.".formatted(of, text));
    }
    long number = Long.parseLong(form.group(1));
    if (number == 0) {
      throw new NotUnderstood(
          "%s is '%s', and must be longer than zero. Leave it out if there is none."
              .formatted(of, text));
    }
    return switch (form.group(2)) {
      case "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      case "h" -> Duration.ofHours(number);
      default -> Duration.ofDays(number);
    };
  }
}
