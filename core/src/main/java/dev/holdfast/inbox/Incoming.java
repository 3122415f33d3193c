package dev.holdfast.inbox;

import dev.holdfast.InvalidMessage;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * A message as it came in. Immutable.
 *
 * @param id what it is known by; the same whenever it comes again; 1 to 512 characters
 * @param fingerprint of what it says, so that another message under the same id is refused; {@code
 *     null} when that is not asked for
 * @param operationId of the operation that it belongs to, 1 to 200 characters, so that what the
 *     handler does is found under it; made when {@code null}
 */
public record Incoming(String id, byte @Nullable [] fingerprint, @Nullable String operationId) {
  public Incoming {
    if (operationId != null && (operationId.isEmpty() || operationId.length() > 200)) {
      throw new InvalidMessage(
          "The operation id of an incoming message has %d characters, and must have 1 to 200. It was not handled. Leave it out, and one is made."
              .formatted(operationId.length()));
    }
    if (operationId != null && operationId.indexOf('\0') >= 0) {
      throw new InvalidMessage(
          "The operation id of an incoming message holds the character 0, which a database cannot store. It was not handled. Leave it out, and one is made.");
    }
    if (id.indexOf('\0') >= 0) {
      throw new InvalidMessage(
          "The id of an incoming message holds the character 0, which a database cannot store. It was not handled.");
    }
    if (id.isEmpty() || id.length() > 512) {
      throw new InvalidMessage(
          "The id of an incoming message has %d characters, and must have 1 to 512. It was not handled. Without an id of the sender's, a repeated message cannot be told from a new one."
              .formatted(id.length()));
    }
  }

  public static Incoming of(String id) {
    return new Incoming(id, null, null);
  }

  /** With the SHA-256 of what it says. */
  public Incoming saying(byte[] content) {
    try {
      return new Incoming(id, MessageDigest.getInstance("SHA-256").digest(content), operationId);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  public Incoming ofOperation(String operation) {
    return new Incoming(id, fingerprint, operation);
  }

  @Override
  public String toString() {
    return "message " + id;
  }
}
