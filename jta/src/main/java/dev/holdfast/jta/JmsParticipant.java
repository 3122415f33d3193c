package dev.holdfast.jta;

import dev.holdfast.StoreUnavailable;
import jakarta.jms.JMSException;
import jakarta.jms.JMSRuntimeException;
import jakarta.jms.Session;
import jakarta.jms.XAConnectionFactory;

/** A broker with an {@code XAConnectionFactory}. */
final class JmsParticipant extends XaParticipant<Session> {
  private final XAConnectionFactory connectionFactory;

  JmsParticipant(String name, XAConnectionFactory connectionFactory) {
    super(name);
    this.connectionFactory = connectionFactory;
  }

  @Override
  Link<Session> connect(int bound) {
    JmsLink link = new JmsLink(name(), connectionFactory, bound);
    try {
      link.recovery();
      return link;
    } catch (JMSException | JMSRuntimeException e) {
      link.close();
      throw new StoreUnavailable(
          "The participant %s cannot be used (%s). Nothing was started: recovery has to reach all of them. Start it, or take it out of the participants."
              .formatted(name(), e.getClass().getSimpleName()),
          e);
    }
  }
}
