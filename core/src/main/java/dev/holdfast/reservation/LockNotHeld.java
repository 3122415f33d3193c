package dev.holdfast.reservation;

import dev.holdfast.HoldfastException;

/**
 * A semantic lock is not held, or not any more: it was not acquired, has expired, or was released
 * or taken over. Let it leave the callback: what was done in the belief of it is rolled back then.
 */
public final class LockNotHeld extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public LockNotHeld(String message) {
    super(message);
  }
}
