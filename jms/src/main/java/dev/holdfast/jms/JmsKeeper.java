package dev.holdfast.jms;

import dev.holdfast.InvalidMessage;
import dev.holdfast.internal.inbox.Keeper;
import jakarta.jms.Connection;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageFormatException;
import jakarta.jms.MessageNotWriteableException;
import jakarta.jms.Session;
import org.jspecify.annotations.Nullable;

/** Keeps messages of a destination while they are parked. */
final class JmsKeeper implements Keeper<Message> {
  private final ConnectionFactory factory;
  private final JmsDestination from;
  private final JmsInboxSettings settings;
  private final JmsParking parking;

  JmsKeeper(
      ConnectionFactory factory,
      JmsDestination from,
      JmsInboxSettings settings,
      JmsParking parking) {
    this.factory = factory;
    this.from = from;
    this.settings = settings;
    this.parking = parking;
  }

  @Override
  public String kind() {
    return from.kind() == JmsDestination.Kind.QUEUE ? "jms" : "jms topic";
  }

  /** Of a topic with its subscription, since each has its own messages. */
  @Override
  public String queue() {
    String subscription = settings.subscription();
    return subscription == null ? from.name() : from.name() + "/" + subscription;
  }

  @Override
  public int maxParked() {
    return parking.maxParked();
  }

  @Override
  public int attempts() {
    return settings.attempts();
  }

  @Override
  public @Nullable String key(Message message) {
    try {
      return parking.key().of(message);
    } catch (JMSException | RuntimeException e) {
      throw new InvalidMessage(
          "The key of the message cannot be told ("
              + Failures.text(e)
              + "), so its place among others is not known. It was neither handled nor parked.");
    }
  }

  @Override
  public Kept keep(Message message) throws JMSException {
    return KeptMessage.of(message, parking.maxBytes());
  }

  /** A session makes them, so a provider has to be connected to. */
  @Override
  public Rebuilding<Message> open() throws JMSException {
    Connection connection = factory.createConnection();
    Session session = null;
    try {
      session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    } finally {
      if (session == null) {
        Closing.quickly(connection);
      }
    }
    return new OnSession(connection, session, from);
  }

  private record OnSession(Connection connection, Session session, JmsDestination from)
      implements Rebuilding<Message> {
    @Override
    public Message rebuild(Kept kept) throws JMSException {
      Destination source = from.in(session);
      try {
        Message message = KeptMessage.rebuild(kept, session);
        message.setJMSDestination(source);
        return message;
      } catch (MessageFormatException | MessageNotWriteableException | RuntimeException e) {
        throw unmakeable(e);
      } catch (JMSException e) {
        // Some answer no differently when they are out of reach and when a queue is not there. If
        // they know the source still, it is the message's: the place for its replies is gone.
        from.in(session);
        throw unmakeable(e);
      }
    }

    /** Not the connection's fault, and the next one would not take it either. */
    private static InvalidMessage unmakeable(Exception e) {
      return new InvalidMessage(
          "The provider makes no message of what is parked (%s). Nothing was handled."
              .formatted(Failures.text(e)));
    }

    @Override
    public void close() {
      Closing.quickly(connection);
    }
  }
}
