package dev.holdfast.jms;

import dev.holdfast.HoldfastException;
import jakarta.jms.JMSException;

/** Carries a handler's {@link JMSException} through the inbox. */
final class UnreadableMessage extends HoldfastException {
  private static final long serialVersionUID = 1L;

  UnreadableMessage(JMSException cause) {
    super(
        "The handler could not read its message ("
            + Failures.text(cause)
            + "). What it did is rolled back.",
        cause);
  }
}
