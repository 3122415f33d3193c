package dev.holdfast.crashtest.resource;

import jakarta.jms.Connection;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.Destination;
import jakarta.jms.JMSConsumer;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.JMSProducer;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageListener;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueConnection;
import jakarta.jms.QueueReceiver;
import jakarta.jms.QueueSender;
import jakarta.jms.QueueSession;
import jakarta.jms.Session;
import jakarta.jms.Topic;
import jakarta.jms.TopicConnection;
import jakarta.jms.TopicPublisher;
import jakarta.jms.TopicSession;
import jakarta.jms.TopicSubscriber;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A JMS provider, as one process reaches it. Commit points are {@code commit} of a session or
 * context that sent or received something, {@code send} outside of transactions, and {@code
 * acknowledge}. What an automatic acknowledgment does inside {@code receive} is no point of its
 * own.
 *
 * <p>What is behind a relayed address is cut off there, and closed later, when nobody waits.
 * Otherwise connections are closed, which rolls back what is open.
 */
public final class JmsResource implements Fence {

  /** What leads to further objects that commit. */
  static final Set<Class<?>> WRAPPED =
      Set.of(
          Connection.class,
          QueueConnection.class,
          TopicConnection.class,
          Session.class,
          QueueSession.class,
          TopicSession.class,
          MessageProducer.class,
          QueueSender.class,
          TopicPublisher.class,
          MessageConsumer.class,
          QueueReceiver.class,
          TopicSubscriber.class,
          JMSContext.class,
          JMSProducer.class,
          JMSConsumer.class);

  private final String name;
  private final Hook hook;
  private final Wire wire;
  private final boolean relayed;
  private final List<AutoCloseable> connections = new CopyOnWriteArrayList<>();

  private JmsResource(String name, Hook hook, Wire wire, boolean relayed) {
    this.name = name;
    this.hook = hook;
    this.wire = wire;
    this.relayed = relayed;
  }

  /**
   * Wraps a provider.
   *
   * @param address where {@code real} connects to, when that is a relay of this process
   */
  public static ConnectionFactory of(
      String name, Hook hook, ConnectionFactory real, @Nullable RelayedAddress address) {
    Wire wire = address == null ? Wire.direct(name) : address.wire();
    JmsResource resource = new JmsResource(name, hook, wire, address != null);
    hook.fence(resource);
    return Reflect.proxy(
        ConnectionFactory.class, new JmsObject(resource, real, new JmsObject.Unit()));
  }

  String name() {
    return name;
  }

  Hook hook() {
    return hook;
  }

  Wire wire() {
    return wire;
  }

  void opened(Object made) {
    if (made instanceof Connection || made instanceof JMSContext) {
      connections.add((AutoCloseable) made);
    }
  }

  static String describe(@Nullable Object destination) {
    try {
      if (destination instanceof Queue queue) {
        return queue.getQueueName();
      }
      if (destination instanceof Topic topic) {
        return topic.getTopicName();
      }
    } catch (JMSException e) {
      return "a destination without a name";
    }
    return String.valueOf(destination);
  }

  static @Nullable Object destination(Object real, @Nullable Object @Nullable [] args) {
    if (args != null && args.length > 0 && args[0] instanceof Destination given) {
      return given;
    }
    try {
      return real instanceof MessageProducer producer ? producer.getDestination() : null;
    } catch (JMSException e) {
      return null;
    }
  }

  /** A listener of a dead process is not called. */
  MessageListener listener(MessageListener real, java.util.function.UnaryOperator<Message> wrap) {
    return message -> {
      hook.check();
      real.onMessage(wrap.apply(message));
    };
  }

  @Override
  public void cut() {
    // The relay has a fence of its own.
  }

  @Override
  public void end() {
    if (relayed) {
      Thread closing = new Thread(this::closeAll, "jms-closing");
      closing.setDaemon(true);
      closing.start();
    } else {
      closeAll();
    }
  }

  private void closeAll() {
    for (AutoCloseable connection : connections) {
      try {
        connection.close();
      } catch (Exception e) {
        // It is cut off already.
      }
    }
  }

  @Override
  public void reopen() {
    // The next process connects anew.
  }

  @Override
  public void close() {
    closeAll();
  }
}
