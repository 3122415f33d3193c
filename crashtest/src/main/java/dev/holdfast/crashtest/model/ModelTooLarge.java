package dev.holdfast.crashtest.model;

import dev.holdfast.HoldfastException;

/** A model has more states or steps than the checker was allowed; what was seen proves nothing. */
public final class ModelTooLarge extends HoldfastException {
  private static final long serialVersionUID = 1L;

  ModelTooLarge(String message) {
    super(message);
  }
}
