package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * The root of everything Holdfast throws. A message says what happened, what is now true, and what
 * to do; it never carries a credential.
 */
public class HoldfastException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public HoldfastException(String message) {
    super(message);
  }

  public HoldfastException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
