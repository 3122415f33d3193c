package dev.holdfast.jms;

import jakarta.jms.InvalidDestinationException;
import jakarta.jms.InvalidDestinationRuntimeException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.JMSSecurityRuntimeException;
import jakarta.jms.MessageFormatException;
import jakarta.jms.MessageFormatRuntimeException;
import jakarta.jms.MessageNotWriteableException;
import jakarta.jms.ResourceAllocationException;
import jakarta.jms.ResourceAllocationRuntimeException;
import org.jspecify.annotations.Nullable;

/** Tells the errors of providers apart, as far as JMS lets them say it. */
final class Failures {
  private Failures() {}

  /** Why a message is refused for what it is, or {@code null} when the error does not say so. */
  static @Nullable String refusal(Throwable error) {
    boolean refused =
        error instanceof InvalidDestinationException
            || error instanceof InvalidDestinationRuntimeException
            || error instanceof JMSSecurityException
            || error instanceof JMSSecurityRuntimeException
            || error instanceof MessageFormatException
            || error instanceof MessageFormatRuntimeException
            || error instanceof MessageNotWriteableException;
    return refused ? text(error) : null;
  }

  /** Whether the broker is full, which passes: an outage, and never the message's fault. */
  static boolean isFull(Throwable error) {
    return error instanceof ResourceAllocationException
        || error instanceof ResourceAllocationRuntimeException;
  }

  /** Whether Artemis has the message already. Its classes need not be here. */
  static boolean isDuplicate(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e.getClass().getSimpleName().equals("ActiveMQDuplicateIdException")) {
        return true;
      }
    }
    return false;
  }

  static String text(Throwable error) {
    String message = error.getMessage();
    return message == null || message.isEmpty() ? error.getClass().getSimpleName() : message;
  }
}
