package dev.holdfast.jms;

import jakarta.jms.ConnectionFactory;

/** The entry point for JMS: {@code Jms.to(connectionFactory)} is a channel's target. */
public final class Jms {
  private Jms() {}

  /**
   * Delivers to the queues of the same names as the topics of the messages.
   *
   * @param connectionFactory the provider's, with whatever it needs to log in; not one that joins
   *     transactions of JTA
   */
  public static JmsTarget to(ConnectionFactory connectionFactory) {
    return new JmsTarget(JmsTarget.Settings.of(connectionFactory));
  }
}
