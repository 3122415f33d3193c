package dev.holdfast.inbox;

import dev.holdfast.HoldfastException;

/**
 * Thrown by a handler when nothing is wrong with its message, but something that it needs cannot be
 * reached. Its transaction is rolled back, no attempt counts, and the message is taken up again
 * later, before those behind it.
 */
public final class TryAgainLater extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public TryAgainLater(String message, Throwable cause) {
    super(message, cause);
  }

  public TryAgainLater(String message) {
    super(message);
  }
}
