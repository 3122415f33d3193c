package dev.holdfast.jms;

import dev.holdfast.outbox.store.OutboxRecord;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.util.List;
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

  /** Sends all of them in one transaction: with this, they are there. */
  void commit(List<Addressed> messages) throws JMSException {
    for (Addressed each : messages) {
      producer.send(each.destination().in(session), encoder.encode(each.message(), session));
    }
    session.commit();
  }

  /**
   * Whether the broker answers and takes messages for a destination: one is sent there and rolled
   * back.
   */
  boolean answers(JmsDestination destination) {
    try {
      renew();
      producer.send(destination.in(session), session.createMessage());
      session.rollback();
      return true;
    } catch (JMSException | RuntimeException e) {
      log.debug("The broker does not answer for {}", destination, e);
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
