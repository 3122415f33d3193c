package dev.holdfast.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.SplittableRandom;

/** What messages carry: text that repeats nothing, so that compression gains nothing by it. */
final class Payload {
  private Payload() {}

  /** An SQL expression for a payload of so many bytes, another for every value of {@code i}. */
  static String sql(int bytes) {
    return "convert_to(substr((select string_agg(md5(i || '/' || j), '') from"
        + " generate_series(0, %d) j), 1, %d), 'LATIN1')".formatted(bytes / 32, bytes);
  }

  /** The same kind of text, made here. */
  static byte[] of(int bytes, SplittableRandom random) {
    StringBuilder text = new StringBuilder(bytes + 16);
    while (text.length() < bytes) {
      text.append("%016x".formatted(random.nextLong()));
    }
    text.setLength(bytes);
    return text.toString().getBytes(ISO_8859_1);
  }
}
