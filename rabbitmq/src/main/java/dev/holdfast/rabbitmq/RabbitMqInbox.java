package dev.holdfast.rabbitmq;

import com.rabbitmq.client.ConnectionFactory;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.ListenerStatus;
import dev.holdfast.internal.inbox.BrokerListener;

/**
 * Receives the messages of a RabbitMQ queue through an {@link Inbox}: a message is handled in one
 * commit of the database with its id, and acknowledged after that. Whichever of the process, the
 * broker and the database crash, each message's effects happen once, as long as the broker keeps it
 * until it is acknowledged, and the inbox remembers ids for longer than the broker may deliver it
 * again.
 *
 * <p>A message is known by its {@code message-id}, which Holdfast's own target sets.
 *
 * <p>While the database is out of reach the message in hand waits, nothing more is handled, and no
 * attempt is used up. When the broker is out of reach it is connected to again, with growing waits
 * of 10 s at most; so it is when the queue is not there.
 *
 * <p>{@linkplain RabbitMqInboxSettings#withParking With parking}, a message that cannot be handled
 * is kept in the database before it is acknowledged, and later ones of its key behind it, by all
 * listeners of this queue that use parking and an inbox of the same name. {@code holdfast consumer}
 * shows them and has them handled again, in order, for which the broker is not needed.
 *
 * <p>Thread-safe. Runs on threads of its own, which are no daemons and end with {@link #close}.
 */
public final class RabbitMqInbox implements AutoCloseable {
  private final BrokerListener listener;

  private RabbitMqInbox(BrokerListener listener) {
    this.listener = listener;
  }

  /**
   * Starts to receive. Returns at once: a broker that is down is waited for. With parking the
   * database is needed.
   *
   * @param connectionFactory copied here, and used without the client's own recovery of connections
   * @param queue its name, 1 to 255 bytes
   * @param inbox whose retention exceeds the time for which the broker may deliver a message again
   * @param handler called by several threads at once, if the concurrency is more than 1
   * @throws InvalidConfiguration when the queue's name cannot be one; or with parking, when the
   *     inbox's consumer receives from something else of that name
   * @throws dev.holdfast.StoreUnavailable with parking, when the database cannot be reached
   */
  public static RabbitMqInbox start(
      ConnectionFactory connectionFactory,
      String queue,
      Inbox inbox,
      RabbitMqInboxSettings settings,
      RabbitMqHandler handler) {
    if (queue.isEmpty() || RabbitMqRoute.bytes(queue) > RabbitMqRoute.LONGEST_BYTES) {
      throw new InvalidConfiguration(
          "The queue's name has %d bytes, and must have 1 to 255. Nothing was started."
              .formatted(RabbitMqRoute.bytes(queue)));
    }
    return new RabbitMqInbox(
        BrokerListener.start(
            new RabbitMqBroker(Connections.copy(connectionFactory), queue, settings, handler),
            inbox,
            "holdfast-rabbitmq-" + queue,
            settings.concurrency(),
            settings.closingWait()));
  }

  /** What it has done since it was started, and whether it is connected. */
  public ListenerStatus status() {
    return listener.status();
  }

  /**
   * Handles nothing more, finishes and acknowledges what is being handled, and ends the
   * connections. What takes longer than the settings' {@code closingWait} is interrupted; its
   * message comes again, and is known if it was committed. Closing twice does nothing. A handler
   * may call it, and is not waited for.
   */
  @Override
  public void close() {
    listener.close();
  }
}
