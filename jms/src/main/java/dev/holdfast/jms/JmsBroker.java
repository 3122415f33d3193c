package dev.holdfast.jms;

import dev.holdfast.Transaction;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.internal.inbox.Broker;
import dev.holdfast.internal.inbox.Keeper;
import jakarta.jms.BytesMessage;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.StreamMessage;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** A destination as a listener receives from it. */
final class JmsBroker implements Broker<Message> {
  private final ConnectionFactory factory;
  private final JmsDestination from;
  private final JmsInboxSettings settings;
  private final JmsHandler handler;

  JmsBroker(
      ConnectionFactory factory,
      JmsDestination from,
      JmsInboxSettings settings,
      JmsHandler handler) {
    this.factory = factory;
    this.from = from;
    this.settings = settings;
    this.handler = handler;
  }

  @Override
  public String source() {
    return from.toString();
  }

  @Override
  public Link<Message> connect() throws JMSException {
    return JmsLink.open(factory, from, settings);
  }

  @Override
  public Incoming incoming(Message message) throws JMSException {
    return Incomings.of(message);
  }

  @Override
  public @Nullable Keeper<Message> keeper() {
    JmsParking parking = settings.parking();
    return parking == null ? null : new JmsKeeper(factory, from, settings, parking);
  }

  @Override
  public void handle(Transaction tx, Message message) throws SQLException {
    try {
      rewind(message);
      handler.handle(tx, message);
    } catch (JMSException e) {
      throw new UnreadableMessage(e);
    }
  }

  /** A body that is read as a stream has to be there again for the next run. */
  private static void rewind(Message message) throws JMSException {
    if (message instanceof BytesMessage bytes) {
      bytes.reset();
    } else if (message instanceof StreamMessage stream) {
      stream.reset();
    }
  }

  @Override
  public @Nullable String id(Message message) throws JMSException {
    return message.getJMSMessageID();
  }

  /** Every provider of JMS 2.0 and later counts them, with this one. */
  @Override
  public int attemptsBefore(Message message) throws JMSException {
    return message.propertyExists("JMSXDeliveryCount")
        ? Math.max(0, message.getIntProperty("JMSXDeliveryCount") - 1)
        : 0;
  }
}
