package dev.holdfast.jms;

import jakarta.jms.JMSException;
import jakarta.jms.Message;
import org.jspecify.annotations.Nullable;

/** Tells whose order a message belongs to. Called by several threads at once. */
@FunctionalInterface
public interface JmsKey {

  /**
   * The key, the same whenever the message comes; {@code null} for a message that has no order.
   *
   * @param message to be read only
   */
  @Nullable String of(Message message) throws JMSException;
}
