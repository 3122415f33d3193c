package dev.holdfast.jms;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.ListenerStatus;
import dev.holdfast.internal.inbox.BrokerListener;
import jakarta.jms.ConnectionFactory;

/**
 * Receives the messages of a JMS destination through an {@link Inbox}: a message is handled in one
 * commit of the database with its id, and acknowledged after that. Whichever of the process, the
 * broker and the database crash, each message's effects happen once, as long as the broker delivers
 * it again until it is acknowledged, and the inbox remembers ids for longer than it may do so.
 *
 * <p>A message is known by the property {@code cloudEvents_id}, which Holdfast's own target sets,
 * else by its {@code JMSMessageID}.
 *
 * <p>While the database is out of reach the message in hand waits, nothing more is received, and no
 * attempt is used up. When the broker is out of reach it is connected to again, with growing waits
 * of 10 s at most. How many messages a provider sends ahead of their being received is a setting of
 * its connection factory.
 *
 * <p>{@linkplain JmsInboxSettings#withParking With parking}, a message that cannot be handled is
 * kept in the database before it is acknowledged, and later ones of its key behind it, by all
 * listeners of this queue that use parking and an inbox of the same name. {@code holdfast consumer}
 * shows them and has them handled again, in order. That needs a connection to the provider, whose
 * sessions make the messages.
 *
 * <p>Thread-safe. Runs on threads of its own, which are no daemons and end with {@link #close}.
 */
public final class JmsInbox implements AutoCloseable {
  private final BrokerListener listener;

  private JmsInbox(BrokerListener listener) {
    this.listener = listener;
  }

  /**
   * Starts to receive. Returns at once: a broker that is down is waited for. With parking the
   * database is needed.
   *
   * @param connectionFactory the provider's; not one that joins transactions of JTA
   * @param from a queue, or a topic, for which the settings have to name a subscription
   * @param inbox whose retention exceeds the time for which the broker may deliver a message again
   * @param handler called by several threads at once, if the concurrency is more than 1
   * @throws InvalidConfiguration when a topic has no subscription, or a queue has one; or with
   *     parking, when the inbox's consumer receives from something else of that name
   * @throws dev.holdfast.StoreUnavailable with parking, when the database cannot be reached
   */
  public static JmsInbox start(
      ConnectionFactory connectionFactory,
      JmsDestination from,
      Inbox inbox,
      JmsInboxSettings settings,
      JmsHandler handler) {
    boolean durable = settings.subscription() != null;
    if (durable != (from.kind() == JmsDestination.Kind.TOPIC)) {
      throw new InvalidConfiguration(
          durable
              ? "A subscription was named for the %s, which has none. Nothing was started. Leave it out."
                  .formatted(from)
              : "No subscription was named for the %s, so what is sent while nobody listens would be lost. Nothing was started. Name one with withSubscription."
                  .formatted(from));
    }
    return new JmsInbox(
        BrokerListener.start(
            new JmsBroker(connectionFactory, from, settings, handler),
            inbox,
            "holdfast-jms-" + from.name(),
            settings.concurrency(),
            settings.closingWait()));
  }

  /** What it has done since it was started, and whether it is connected. */
  public ListenerStatus status() {
    return listener.status();
  }

  /**
   * Receives nothing more, finishes and acknowledges what is being handled, and ends the
   * connections. What takes longer than the settings' {@code closingWait} is interrupted; its
   * message comes again, and is known if it was committed. Closing twice does nothing. A handler
   * may call it, and is not waited for.
   */
  @Override
  public void close() {
    listener.close();
  }
}
