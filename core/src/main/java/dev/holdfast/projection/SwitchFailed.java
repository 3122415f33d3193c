package dev.holdfast.projection;

import dev.holdfast.HoldfastException;

/** What a version of a projection does when it becomes the live one could not be done. */
public final class SwitchFailed extends HoldfastException {
  private static final long serialVersionUID = 1L;

  SwitchFailed(Projection projection, Exception cause) {
    super(
        "The projection %s could not become the live one, since its onSwitch() has thrown %s. What the transaction had done is rolled back."
            .formatted(projection, cause),
        cause);
  }
}
