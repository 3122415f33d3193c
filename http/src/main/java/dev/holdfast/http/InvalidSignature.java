package dev.holdfast.http;

import dev.holdfast.HoldfastException;

/** A webhook is not from whom it should be, or too old. Nothing was done; answer 401. */
public final class InvalidSignature extends HoldfastException {
  private static final long serialVersionUID = 1L;

  InvalidSignature(String message) {
    super(message);
  }
}
