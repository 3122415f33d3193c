package dev.holdfast.internal.workflow;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes JSON apart without understanding it: what a member or an element holds stays the text that
 * it is, for the codec to read. So it is lenient with what only the codec can judge, and depends on
 * no library.
 */
final class JsonText {
  private final String json;
  private int at;

  private JsonText(String json) {
    this.json = json;
  }

  static void quote(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < 0x20 || Character.isSurrogate(c)) {
        json.append("\\u%04x".formatted((int) c));
      } else {
        json.append(c);
      }
    }
    json.append('"');
  }

  /**
   * The members of an object, in order.
   *
   * @throws IllegalArgumentException when it is none
   */
  static Map<String, String> object(String json) {
    JsonText in = new JsonText(json);
    Map<String, String> members = new LinkedHashMap<>();
    in.expect('{');
    if (!in.next('}')) {
      do {
        String name = string(in.value());
        in.expect(':');
        members.put(name, in.value());
      } while (in.next(','));
      in.expect('}');
    }
    in.end();
    return members;
  }

  /**
   * The elements of an array.
   *
   * @throws IllegalArgumentException when it is none
   */
  static List<String> array(String json) {
    JsonText in = new JsonText(json);
    List<String> elements = new ArrayList<>();
    in.expect('[');
    if (!in.next(']')) {
      do {
        elements.add(in.value());
      } while (in.next(','));
      in.expect(']');
    }
    in.end();
    return elements;
  }

  /**
   * @throws IllegalArgumentException when it is no string
   */
  static String string(String json) {
    if (json.length() < 2 || json.charAt(0) != '"') {
      throw new IllegalArgumentException("a string was expected where it has " + shown(json));
    }
    StringBuilder text = new StringBuilder();
    int last = json.length() - 1;
    for (int i = 1; i < last; i++) {
      char c = json.charAt(i);
      if (c != '\\') {
        text.append(c);
        continue;
      }
      char escaped = json.charAt(++i);
      if (escaped == 'u') {
        if (i + 4 >= last) {
          throw new IllegalArgumentException("a string breaks off in " + shown(json));
        }
        text.append((char) Integer.parseInt(json.substring(i + 1, i + 5), 16));
        i += 4;
      } else {
        text.append(unescaped(escaped));
      }
    }
    return text.toString();
  }

  private static char unescaped(char c) {
    return switch (c) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      case 'b' -> '\b';
      case 'f' -> '\f';
      default -> c;
    };
  }

  private String value() {
    blanks();
    int from = at;
    if (at < json.length() && json.charAt(at) == '"') {
      quoted();
    } else if (at < json.length() && (json.charAt(at) == '{' || json.charAt(at) == '[')) {
      nested();
    } else {
      while (at < json.length() && " \t\r\n,:{}[]\"".indexOf(json.charAt(at)) < 0) {
        at++;
      }
    }
    if (at == from) {
      throw unexpected("a value");
    }
    return json.substring(from, at);
  }

  private void quoted() {
    at++;
    while (at < json.length() && json.charAt(at) != '"') {
      at += json.charAt(at) == '\\' ? 2 : 1;
    }
    if (at >= json.length()) {
      at = json.length();
      throw unexpected("the end of a string");
    }
    at++;
  }

  private void nested() {
    int depth = 0;
    do {
      if (at >= json.length()) {
        throw unexpected("the end of an object or an array");
      }
      char c = json.charAt(at);
      if (c == '"') {
        quoted();
        continue;
      }
      depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
      at++;
    } while (depth > 0);
  }

  private boolean next(char c) {
    blanks();
    boolean is = at < json.length() && json.charAt(at) == c;
    at += is ? 1 : 0;
    return is;
  }

  private void expect(char c) {
    if (!next(c)) {
      throw unexpected("'" + c + "'");
    }
  }

  private void end() {
    blanks();
    if (at < json.length()) {
      throw unexpected("the end");
    }
  }

  private void blanks() {
    while (at < json.length() && " \t\r\n".indexOf(json.charAt(at)) >= 0) {
      at++;
    }
  }

  private IllegalArgumentException unexpected(String what) {
    return new IllegalArgumentException(
        "%s was expected at character %,d, where it has %s"
            .formatted(what, at, at < json.length() ? shown(json.substring(at)) : "its end"));
  }

  /** Without what may be somebody's data. */
  private static String shown(String json) {
    return json.isEmpty() ? "nothing" : "'" + json.charAt(0) + "'";
  }
}
