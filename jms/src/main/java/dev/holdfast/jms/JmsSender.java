package dev.holdfast.jms;

import dev.holdfast.outbox.store.OutboxRecord;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.Message;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A transacted session and its producer, made anew when something has failed. One thread's. */
final class JmsSender {
  private static final Logger log = LoggerFactory.getLogger(JmsSender.class);

  private final Connection connection;
  private final Encoder encoder;
  private Session session;
  private MessageProducer producer;

  JmsSender(Connection connection, Encoder encoder) throws JMSException {
    this.connection = connection;
    this.encoder = encoder;
    this.session = connection.createSession(true, Session.SESSION_TRANSACTED);
    this.producer = producer(session);
  }

  /** A message and where it goes. */
  record Addressed(OutboxRecord message, JmsDestination destination) {}

  /**
   * Sends all of them in one transaction: with this, they are there. Destinations are looked up
   * once in each batch, a round trip at some brokers: remembered for longer, one that was deleted
   * would not be missed.
   */
  void commit(List<Addressed> messages) throws JMSException {
    Map<JmsDestination, Destination> known = new HashMap<>();
    for (Addressed each : messages) {
      Destination destination = known.get(each.destination());
      if (destination == null) {
        destination = each.destination().in(session);
        known.put(each.destination(), destination);
      }
      producer.send(destination, encoder.encode(each.message(), session));
    }
    session.commit();
  }

  /**
   * Whether the broker answers: it takes a message for that destination, which is rolled back, or
   * at least makes a temporary queue, or says that we may not. JMS has no other question that every
   * provider carries to its broker.
   */
  boolean answers(JmsDestination destination) {
    try {
      renew();
      producer.send(destination.in(session), session.createMessage());
      session.rollback();
      return true;
    } catch (JMSException | RuntimeException e) {
      log.debug("The broker takes nothing for {}", destination, e);
    }
    try {
      renew();
      session.createTemporaryQueue().delete();
      return true;
    } catch (JMSSecurityException e) {
      return true;
    } catch (JMSException | RuntimeException e) {
      log.debug("The broker does not answer", e);
      return false;
    }
  }

  /** What a failed session has left is rolled back, and another takes its place. */
  void renew() throws JMSException {
    try {
      session.close();
    } catch (JMSException | RuntimeException e) {
      log.debug("A failed JMS session was not closed cleanly", e);
    }
    session = connection.createSession(true, Session.SESSION_TRANSACTED);
    producer = producer(session);
  }

  private static MessageProducer producer(Session session) throws JMSException {
    Destination whereEachSays = null;
    MessageProducer producer = session.createProducer(whereEachSays);
    producer.setDeliveryMode(DeliveryMode.PERSISTENT);
    producer.setTimeToLive(Message.DEFAULT_TIME_TO_LIVE);
    return producer;
  }
}
