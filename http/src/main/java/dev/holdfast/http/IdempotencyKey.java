package dev.holdfast.http;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The header field's value: a string of RFC 8941 ({@code "8e03978e"}), or the same without quotes,
 * as most clients send it.
 */
final class IdempotencyKey {
  static final String HEADER = "Idempotency-Key";

  private IdempotencyKey() {}

  /** A key, or why there is none. */
  record Parsed(@Nullable String key, @Nullable String problem) {}

  /**
   * @param lines the field's lines; a key that comes twice is none
   */
  static Parsed parse(List<String> lines, int maxChars) {
    if (lines.isEmpty()) {
      return new Parsed(null, null);
    }
    if (lines.size() > 1) {
      return malformed("it is there more than once");
    }
    String text = lines.get(0).strip();
    // A quote may be written with two characters.
    if (text.length() > 2 * maxChars + 2) {
      return tooLong(maxChars);
    }
    String key = text.startsWith("\"") ? unquoted(text) : text;
    if (key == null) {
      return malformed("its quotes do not match");
    }
    if (key.isEmpty()) {
      return malformed("it is empty");
    }
    if (key.length() > maxChars) {
      return tooLong(maxChars);
    }
    for (int i = 0; i < key.length(); i++) {
      char c = key.charAt(i);
      if (c < ' ' || c > '~') {
        return malformed("it has a character that is not printable ASCII");
      }
    }
    if (!text.startsWith("\"")
        && (key.indexOf(' ') >= 0 || key.indexOf(',') >= 0 || key.indexOf('"') >= 0)) {
      return malformed("it has a space, a comma or a quote and is not quoted");
    }
    return new Parsed(key, null);
  }

  private static Parsed tooLong(int maxChars) {
    return malformed("it has more than %d characters".formatted(maxChars));
  }

  private static Parsed malformed(String why) {
    return new Parsed(null, why);
  }

  private static @Nullable String unquoted(String text) {
    StringBuilder key = new StringBuilder(text.length());
    for (int i = 1; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"') {
        return i == text.length() - 1 ? key.toString() : null;
      }
      if (c == '\\') {
        i++;
        if (i == text.length() || (text.charAt(i) != '"' && text.charAt(i) != '\\')) {
          return null;
        }
        c = text.charAt(i);
      }
      key.append(c);
    }
    return null;
  }

  /** As a string of RFC 8941. */
  static String quoted(String key) {
    return '"' + key.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
