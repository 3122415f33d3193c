package dev.holdfast.http;

import dev.holdfast.HoldfastException;

/**
 * An application answered with more than can be stored. Its transaction was rolled back, and its
 * key is as new.
 */
public final class ResponseTooLarge extends HoldfastException {
  private static final long serialVersionUID = 1L;

  ResponseTooLarge(String what) {
    super(
        what
            + " What the request did was rolled back. Raise the bound, or store it elsewhere and answer with a reference.");
  }
}
