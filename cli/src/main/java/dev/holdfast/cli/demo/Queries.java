package dev.holdfast.cli.demo;

import com.sun.net.httpserver.HttpExchange;
import java.util.HashMap;
import java.util.Map;

/** What requests ask for. */
final class Queries {
  private Queries() {}

  static Map<String, String> of(HttpExchange exchange) {
    Map<String, String> values = new HashMap<>();
    String query = exchange.getRequestURI().getQuery();
    if (query != null) {
      for (String pair : query.split("&")) {
        int equals = pair.indexOf('=');
        if (equals > 0) {
          values.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
      }
    }
    return values;
  }

  /**
   * @throws IllegalArgumentException when it is not there
   */
  static String required(Map<String, String> query, String name) {
    String value = query.get(name);
    if (value == null) {
      throw new IllegalArgumentException(name + " is needed");
    }
    return value;
  }
}
