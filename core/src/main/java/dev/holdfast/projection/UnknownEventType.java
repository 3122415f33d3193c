package dev.holdfast.projection;

import dev.holdfast.HoldfastException;

/** An event has come of a type that a projection neither handles nor ignores. */
public final class UnknownEventType extends HoldfastException {
  private static final long serialVersionUID = 1L;

  UnknownEventType(String type) {
    super(
        "Nobody handles events of type %s. Handle them or ignore them, in a version of the program that is deployed everywhere, and replay the key."
            .formatted(type));
  }
}
