package dev.holdfast.rabbitmq;

import com.rabbitmq.client.ConnectionFactory;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.inbox.Reception;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
 * <p>Thread-safe. Runs on threads of its own, which are no daemons and end with {@link #close}.
 */
public final class RabbitMqInbox implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RabbitMqInbox.class);

  /** What is received from, and how. */
  record Source(ConnectionFactory factory, String queue, RabbitMqInboxSettings settings) {}

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
   * @param deadLettered messages that were given up, and moved or rejected
   */
  public record Status(
      int connected, long handled, long repeated, long failed, long deadLettered) {}

  private final Source source;
  private final Counters counters = new Counters();
  private final List<RabbitMqWorker> workers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicBoolean closed = new AtomicBoolean();

  private RabbitMqInbox(Source source) {
    this.source = source;
  }

  /**
   * Starts to receive. Returns at once: a broker that is down is waited for.
   *
   * @param connectionFactory copied here, and used without the client's own recovery of connections
   * @param queue its name, 1 to 255 bytes
   * @param inbox whose retention exceeds the time for which the broker may deliver a message again
   * @param handler called by several threads at once, if the concurrency is more than 1
   * @throws InvalidConfiguration when the queue's name cannot be one
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
    RabbitMqInbox started =
        new RabbitMqInbox(new Source(Connections.copy(connectionFactory), queue, settings));
    started.run(inbox, handler);
    return started;
  }

  private void run(Inbox inbox, RabbitMqHandler handler) {
    for (int i = 1; i <= source.settings().concurrency(); i++) {
      RabbitMqWorker worker = new RabbitMqWorker(source, handler, new Reception(inbox), counters);
      workers.add(worker);
      threads.add(new Thread(worker, "holdfast-rabbitmq-" + source.queue() + "-" + i));
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
   * Handles nothing more, finishes and acknowledges what is being handled, and ends the
   * connections. What takes longer than the settings' {@code closingWait} is interrupted; its
   * message comes again, and is known if it was committed. Closing twice does nothing. A handler
   * may call it, and is not waited for.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    workers.forEach(RabbitMqWorker::end);
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
            "A handler of messages of queue {} did not end within {} and is interrupted. Its message is not acknowledged and comes again.",
            source.queue(),
            source.settings().closingWait());
        thread.interrupt();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
