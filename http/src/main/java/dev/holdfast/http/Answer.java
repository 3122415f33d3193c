package dev.holdfast.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A response: what an application answers, and what a repeated request is answered with. Immutable,
 * if nobody changes the array.
 *
 * @param status 200 to 599
 * @param headers by name, whatever its case
 */
public record Answer(int status, Map<String, List<String>> headers, byte[] body) {
  private static final int LEAST = 200;
  private static final int MOST = 599;

  public Answer {
    if (status < LEAST || status > MOST) {
      throw new IllegalArgumentException(
          "The status is %d, and must be %d to %d.".formatted(status, LEAST, MOST));
    }
    Map<String, List<String>> copy = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    headers.forEach((name, values) -> copy.put(name, List.copyOf(values)));
    headers = Collections.unmodifiableMap(copy);
  }

  /** Without a body. */
  public static Answer of(int status) {
    return new Answer(status, Map.of(), new byte[0]);
  }

  public static Answer json(int status, String text) {
    return of(status, "application/json", text);
  }

  static Answer of(int status, String contentType, String text) {
    return new Answer(
        status,
        Map.of("Content-Type", List.of(contentType)),
        text.getBytes(StandardCharsets.UTF_8));
  }

  /** The same with one more value of a header. */
  public Answer with(String name, String value) {
    Map<String, List<String>> more = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    more.putAll(headers);
    List<String> values = new ArrayList<>(more.getOrDefault(name, List.of()));
    values.add(value);
    more.put(name, values);
    return new Answer(status, more, body);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Answer answer
        && answer.status == status
        && answer.headers.equals(headers)
        && Arrays.equals(answer.body, body);
  }

  @Override
  public int hashCode() {
    return Objects.hash(status, headers, Arrays.hashCode(body));
  }

  /** Without headers and body, which may be confidential. */
  @Override
  public String toString() {
    return "an answer of status %d, %d bytes".formatted(status, body.length);
  }
}
