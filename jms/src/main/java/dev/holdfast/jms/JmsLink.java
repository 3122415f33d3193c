package dev.holdfast.jms;

import dev.holdfast.internal.inbox.Broker;
import dev.holdfast.internal.inbox.Broker.Fate;
import jakarta.jms.Connection;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.Topic;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A connection, a transacted session and a consumer. What it received is the broker's again when
 * this is closed before {@link #acknowledge}. One thread's.
 */
final class JmsLink implements Broker.Link<Message> {
  /** Why a message is in the dead-letter destination, and how often it was tried. */
  private static final String REASON = "holdfast_reason";

  private static final String ATTEMPTS = "holdfast_attempts";
  private static final int LONGEST_REASON = 1000;

  private final Connection connection;
  private final Session session;
  private final MessageConsumer consumer;
  private final JmsInboxSettings settings;

  private JmsLink(
      Connection connection, Session session, MessageConsumer consumer, JmsInboxSettings settings) {
    this.connection = connection;
    this.session = session;
    this.consumer = consumer;
    this.settings = settings;
  }

  static JmsLink open(ConnectionFactory factory, JmsDestination source, JmsInboxSettings settings)
      throws JMSException {
    String subscription = settings.subscription();
    Connection connection = factory.createConnection();
    JmsLink link = null;
    try {
      Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
      MessageConsumer consumer =
          subscription == null
              ? session.createConsumer(source.in(session))
              : session.createSharedDurableConsumer((Topic) source.in(session), subscription);
      connection.start();
      link = new JmsLink(connection, session, consumer, settings);
      return link;
    } finally {
      if (link == null) {
        Closing.quickly(connection);
      }
    }
  }

  @Override
  public @Nullable Message receive(long atMostMillis) throws JMSException {
    return consumer.receive(atMostMillis);
  }

  @Override
  public void acknowledge(Message message) throws JMSException {
    session.commit();
  }

  @Override
  public void check() {
    // The next call of the session finds out.
  }

  /** Given back it counts as an attempt at the broker, which is asked for it by the next one. */
  @Override
  public Fate failed(Message message, int attempts, boolean hopeless, Throwable cause)
      throws JMSException {
    JmsDestination deadLetter = settings.deadLetter();
    if (deadLetter != null && (hopeless || attempts >= settings.attempts())) {
      moveTo(deadLetter, message, attempts, Failures.text(cause));
      return new Fate.GivenUp("in " + deadLetter);
    }
    session.rollback();
    return new Fate.GivenBack();
  }

  /**
   * Moves what was received to another destination, in one transaction of the broker's: it is in
   * one of the two places at any time.
   */
  private void moveTo(JmsDestination deadLetter, Message message, int attempts, String reason)
      throws JMSException {
    Map<String, Object> properties = properties(message);
    message.clearProperties();
    for (Map.Entry<String, Object> each : properties.entrySet()) {
      message.setObjectProperty(PropertyNames.near(each.getKey()), each.getValue());
    }
    message.setIntProperty(ATTEMPTS, attempts);
    message.setStringProperty(
        REASON, reason.substring(0, Math.min(reason.length(), LONGEST_REASON)));
    try (MessageProducer producer = session.createProducer(deadLetter.in(session))) {
      producer.setDeliveryMode(DeliveryMode.PERSISTENT);
      producer.send(message);
    }
    session.commit();
  }

  /** Those that are the sender's. Sent back by hand, it must not be dropped as a repeat either. */
  static Map<String, Object> properties(Message message) throws JMSException {
    Map<String, Object> properties = new LinkedHashMap<>();
    for (Enumeration<?> names = message.getPropertyNames(); names.hasMoreElements(); ) {
      String name = (String) names.nextElement();
      boolean providers = name.startsWith("JMSX") && !name.startsWith("JMSXGroup");
      if (!providers && !name.startsWith("JMS_") && !name.startsWith("_AMQ")) {
        properties.put(name, message.getObjectProperty(name));
      }
    }
    return properties;
  }

  @Override
  public void close() {
    Closing.quickly(connection);
  }
}
