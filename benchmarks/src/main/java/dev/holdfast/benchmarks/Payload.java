package dev.holdfast.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.SplittableRandom;

/**
 * What messages carry: their number, by which they are told apart and put in order, and text that
 * repeats nothing, so that compression gains nothing by it.
 */
final class Payload {
  /** The size of every message. */
  static final int BYTES = 200;

  /** How many keys there are; message {@code n} has the key {@code n % KEYS}. */
  static final int KEYS = 1_000;

  private static final int DIGITS = 10;
  private static final int TEXTS = 997;
  private static final byte[][] TEXT = texts();

  private Payload() {}

  /** An SQL expression for the payload of the message whose number is {@code i}, as text. */
  static String sql() {
    int words = (BYTES - DIGITS + 31) / 32;
    return "substr(lpad(i::text, %d, '0') || (select string_agg(md5(i || '/' || j), '') from generate_series(1, %d) j), 1, %d)"
        .formatted(DIGITS, words, BYTES);
  }

  /** The same form, made here. */
  static byte[] of(long number) {
    byte[] payload = TEXT[(int) (number % TEXTS)].clone();
    long left = number;
    for (int i = DIGITS - 1; i >= 0; i--) {
      payload[i] = (byte) ('0' + left % 10);
      left /= 10;
    }
    return payload;
  }

  static String text(long number) {
    return new String(of(number), ISO_8859_1);
  }

  static long number(byte[] payload) {
    long number = 0;
    for (int i = 0; i < DIGITS; i++) {
      number = number * 10 + (payload[i] - '0');
    }
    return number;
  }

  static String key(long number) {
    return "key-" + number % KEYS;
  }

  private static byte[][] texts() {
    SplittableRandom random = new SplittableRandom(1);
    byte[][] texts = new byte[TEXTS][];
    for (int i = 0; i < TEXTS; i++) {
      StringBuilder text = new StringBuilder(BYTES + 16);
      while (text.length() < BYTES) {
        text.append("%016x".formatted(random.nextLong()));
      }
      texts[i] = text.substring(0, BYTES).getBytes(ISO_8859_1);
    }
    return texts;
  }
}
