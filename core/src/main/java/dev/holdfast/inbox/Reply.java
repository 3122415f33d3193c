package dev.holdfast.inbox;

import dev.holdfast.InvalidMessage;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/**
 * What a handler answers, and what a repeated message is answered with. Immutable, if nobody
 * changes the array.
 *
 * @param contentType 1 to 255 characters
 * @param body at most 1 MiB
 */
public record Reply(String contentType, byte[] body) {
  public static final int MAX_BYTES = 1 << 20;

  /** Nothing to say: nothing is stored. */
  public static final Reply NONE = new Reply("application/octet-stream", new byte[0]);

  public Reply {
    if (contentType.isEmpty() || contentType.length() > 255) {
      throw new InvalidMessage(
          "The reply's content type has %d characters, and must have 1 to 255. It was not stored."
              .formatted(contentType.length()));
    }
    if (body.length > MAX_BYTES) {
      throw new InvalidMessage(
          "The reply has %d bytes, over the bound of %d. It was not stored. Store it elsewhere and answer with a reference."
              .formatted(body.length, MAX_BYTES));
    }
  }

  public static Reply json(String text) {
    return new Reply("application/json", text.getBytes(StandardCharsets.UTF_8));
  }

  public static Reply text(String text) {
    return new Reply("text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
  }

  /** The body, when it is text in UTF-8. */
  public String asText() {
    return new String(body, StandardCharsets.UTF_8);
  }

  boolean isEmpty() {
    return body.length == 0 && contentType.equals(NONE.contentType);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Reply reply
        && reply.contentType.equals(contentType)
        && Arrays.equals(reply.body, body);
  }

  @Override
  public int hashCode() {
    return Objects.hash(contentType, Arrays.hashCode(body));
  }

  /** Without the body, which may be anybody's. */
  @Override
  public String toString() {
    return "a reply of %d bytes, %s".formatted(body.length, contentType);
  }
}
