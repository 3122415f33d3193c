package dev.holdfast.jms;

import dev.holdfast.InvalidConfiguration;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Session;

/**
 * A queue or a topic of JMS, by its provider's name for it. Immutable.
 *
 * @param name 1 to 1,000 characters
 */
public record JmsDestination(Kind kind, String name) {
  /** Who gets a message. */
  public enum Kind {
    /** One consumer. */
    QUEUE,
    /** Every subscription there is; nobody when there is none. */
    TOPIC
  }

  public JmsDestination {
    if (name.isEmpty() || name.length() > 1000) {
      throw new InvalidConfiguration(
          "The name of a JMS destination has %d characters, and must have 1 to 1000."
              .formatted(name.length()));
    }
  }

  public static JmsDestination queue(String name) {
    return new JmsDestination(Kind.QUEUE, name);
  }

  public static JmsDestination topic(String name) {
    return new JmsDestination(Kind.TOPIC, name);
  }

  Destination in(Session session) throws JMSException {
    return switch (kind) {
      case QUEUE -> session.createQueue(name);
      case TOPIC -> session.createTopic(name);
    };
  }

  @Override
  public String toString() {
    return (kind == Kind.QUEUE ? "queue " : "topic ") + name;
  }
}
