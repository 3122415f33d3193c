package dev.holdfast.jms;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.inbox.Reception;
import jakarta.jms.ConnectionFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
 * <p>Thread-safe. Runs on threads of its own, which are no daemons and end with {@link #close}.
 */
public final class JmsInbox implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(JmsInbox.class);

  /** What is received from, and how. */
  record Source(ConnectionFactory factory, JmsDestination destination, JmsInboxSettings settings) {}

  /** Written by the workers, read by anybody. */
  static final class Counters {
    final AtomicInteger connected = new AtomicInteger();
    final AtomicLong handled = new AtomicLong();
    final AtomicLong repeated = new AtomicLong();
    final AtomicLong failed = new AtomicLong();
    final AtomicLong deadLettered = new AtomicLong();
  }

  /**
   * What a listener has done since it was started, and whether it is connected.
   *
   * @param connected how many of its connections to the broker are up
   * @param handled messages that were handled and acknowledged
   * @param repeated messages that were acknowledged since they had been handled before
   * @param failed attempts that failed, of whatever message
   * @param deadLettered messages that were moved to the dead-letter destination
   */
  public record Status(
      int connected, long handled, long repeated, long failed, long deadLettered) {}

  private final Source source;
  private final Counters counters = new Counters();
  private final List<JmsWorker> workers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicBoolean closed = new AtomicBoolean();

  private JmsInbox(Source source) {
    this.source = source;
  }

  /**
   * Starts to receive. Returns at once: a broker that is down is waited for.
   *
   * @param connectionFactory the provider's; not one that joins transactions of JTA
   * @param from a queue, or a topic, for which the settings have to name a subscription
   * @param inbox whose retention exceeds the time for which the broker may deliver a message again
   * @param handler called by several threads at once, if the concurrency is more than 1
   * @throws InvalidConfiguration when a topic has no subscription, or a queue has one
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
    JmsInbox started = new JmsInbox(new Source(connectionFactory, from, settings));
    started.run(inbox, handler);
    return started;
  }

  private void run(Inbox inbox, JmsHandler handler) {
    for (int i = 1; i <= source.settings().concurrency(); i++) {
      JmsWorker worker = new JmsWorker(source, handler, new Reception(inbox), counters);
      Thread thread = new Thread(worker, "holdfast-jms-" + source.destination().name() + "-" + i);
      workers.add(worker);
      threads.add(thread);
    }
    threads.forEach(Thread::start);
  }

  public Status status() {
    return new Status(
        counters.connected.get(),
        counters.handled.get(),
        counters.repeated.get(),
        counters.failed.get(),
        counters.deadLettered.get());
  }

  /**
   * Receives nothing more, finishes and acknowledges what is being handled, and ends the
   * connections. What takes longer than the settings' {@code closingWait} is interrupted; its
   * message comes again, and is known if it was committed. Closing twice does nothing. A handler
   * may call it, and is not waited for.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    workers.forEach(JmsWorker::end);
    long began = Doorbell.nanos();
    boolean interrupted = false;
    for (Thread thread : threads) {
      try {
        Duration left = source.settings().closingWait().minus(Doorbell.since(began));
        if (thread != Thread.currentThread() && !left.isNegative() && !left.isZero()) {
          thread.join(Math.max(1, left.toMillis()));
        }
      } catch (InterruptedException e) {
        interrupted = true;
        break;
      }
    }
    for (Thread thread : threads) {
      if (thread.isAlive() && thread != Thread.currentThread()) {
        log.warn(
            "A handler of messages from {} did not end within {} and is interrupted. Its message is not acknowledged and comes again.",
            source.destination(),
            source.settings().closingWait());
        thread.interrupt();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
