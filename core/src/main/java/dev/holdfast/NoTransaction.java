package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * A message can only be recorded inside a transaction, and the connection has none: it is in
 * autocommit mode, or closed. Nothing was written.
 */
public class NoTransaction extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public NoTransaction(String message) {
    super(message);
  }

  public NoTransaction(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
