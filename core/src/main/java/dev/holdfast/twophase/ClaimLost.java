package dev.holdfast.twophase;

import dev.holdfast.HoldfastException;

/**
 * A participant obeys another database than this one: this one is a copy, or there is a copy of it
 * that was believed first. Nothing was prepared there.
 */
public final class ClaimLost extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public ClaimLost(String message) {
    super(message);
  }
}
