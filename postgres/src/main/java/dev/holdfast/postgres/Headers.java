package dev.holdfast.postgres;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Headers as a JSON object of strings, which is what the database keeps. Written and read here
 * rather than by a library, since the shape is one level of strings and the reader sees only what
 * PostgreSQL's {@code jsonb} prints.
 */
final class Headers {
  private Headers() {}

  static String toJson(Map<String, String> headers) {
    StringBuilder json = new StringBuilder("{");
    headers.forEach(
        (name, value) -> {
          if (json.length() > 1) {
            json.append(',');
          }
          quote(json, name);
          json.append(':');
          quote(json, value);
        });
    return json.append('}').toString();
  }

  private static void quote(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < 0x20) {
        json.append("\\u%04x".formatted((int) c));
      } else {
        json.append(c);
      }
    }
    json.append('"');
  }

  static Map<String, String> fromJson(@Nullable String json) {
    if (json == null || json.equals("{}")) {
      return Map.of();
    }
    Map<String, String> headers = new LinkedHashMap<>();
    Reader reader = new Reader(json);
    while (reader.seekString()) {
      String name = reader.string();
      if (!reader.seekString()) {
        throw new IllegalArgumentException("Not a JSON object of strings");
      }
      headers.put(name, reader.string());
    }
    return headers;
  }

  /** Walks from one JSON string to the next. */
  private static final class Reader {
    private final String json;
    private int at;

    Reader(String json) {
      this.json = json;
    }

    boolean seekString() {
      at = json.indexOf('"', at);
      return at++ >= 0;
    }

    String string() {
      StringBuilder text = new StringBuilder();
      while (json.charAt(at) != '"') {
        char c = json.charAt(at++);
        text.append(c == '\\' ? escaped() : c);
      }
      at++;
      return text.toString();
    }

    private char escaped() {
      char c = json.charAt(at++);
      return switch (c) {
        case 'n' -> '\n';
        case 't' -> '\t';
        case 'r' -> '\r';
        case 'b' -> '\b';
        case 'f' -> '\f';
        case 'u' -> {
          at += 4;
          yield (char) Integer.parseInt(json.substring(at - 4, at), 16);
        }
        default -> c;
      };
    }
  }
}
