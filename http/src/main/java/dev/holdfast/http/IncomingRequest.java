package dev.holdfast.http;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request as an {@link IdempotentHandler.Application} gets it.
 *
 * @param headers by name, whatever its case
 * @param body read whole; empty when there is none
 */
public record IncomingRequest(
    String method, URI uri, Map<String, List<String>> headers, byte[] body) {

  /** The first value of a header, or {@code null}. */
  public @Nullable String header(String name) {
    List<String> values = headers.get(name);
    return values == null || values.isEmpty() ? null : values.get(0);
  }

  /** The body, when it is text in UTF-8. */
  public String asText() {
    return new String(body, StandardCharsets.UTF_8);
  }

  /** Without headers and body, which may be confidential. */
  @Override
  public String toString() {
    return method + " " + uri.getPath();
  }
}
