package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * A message that cannot be recorded: a part is missing, too long, or over its bound. Nothing was
 * written.
 */
public class InvalidMessage extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public InvalidMessage(String message) {
    super(message);
  }

  public InvalidMessage(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
