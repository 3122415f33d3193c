package dev.holdfast.eventlog;

import dev.holdfast.HoldfastException;

/**
 * An append that cannot be: a part of it is missing, too long, or over its bound. Nothing was
 * appended, and the transaction can go on.
 */
public final class InvalidEvent extends HoldfastException {
  private static final long serialVersionUID = 1L;

  public InvalidEvent(String message) {
    super(message);
  }
}
