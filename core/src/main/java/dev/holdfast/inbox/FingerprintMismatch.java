package dev.holdfast.inbox;

import dev.holdfast.HoldfastException;

/** A message has come under an id that was used for another one. Nothing was changed. */
public final class FingerprintMismatch extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public FingerprintMismatch(String message) {
    super(message);
  }
}
