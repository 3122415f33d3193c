package dev.holdfast.internal.inbox;

import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.ListenerStatus;
import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Threads that receive from a broker into an inbox, each over a connection of its own, and one that
 * handles again what is parked, where it is. They are no daemons and end with {@link #close}.
 * Thread-safe.
 */
public final class BrokerListener implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BrokerListener.class);

  /** Written by the workers, read by anybody. */
  static final class Counters {
    final AtomicInteger connected = new AtomicInteger();
    final AtomicLong handled = new AtomicLong();
    final AtomicLong repeated = new AtomicLong();
    final AtomicLong failed = new AtomicLong();
    final AtomicLong givenUp = new AtomicLong();
    final AtomicLong parked = new AtomicLong();
    final AtomicLong replayed = new AtomicLong();

    /** How many workers wait since no more may be parked. */
    final AtomicInteger full = new AtomicInteger();
  }

  private final String source;
  private final Duration closingWait;
  private final Counters counters = new Counters();
  private final List<Runnable> endings = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicBoolean closed = new AtomicBoolean();

  private BrokerListener(String source, Duration closingWait) {
    this.source = source;
    this.closingWait = closingWait;
  }

  /**
   * Starts to receive. Returns at once: a broker that is down is waited for. Where messages are
   * parked the database is needed.
   *
   * @param threadName of the threads, which are numbered
   * @param closingWait how long {@link #close} waits for what is being handled
   */
  public static <M> BrokerListener start(
      Broker<M> broker, Inbox inbox, String threadName, int concurrency, Duration closingWait) {
    Keeper<M> keeper = broker.keeper();
    BrokerParking<M> parking = keeper == null ? null : BrokerParking.begin(broker, keeper, inbox);
    BrokerListener listener = new BrokerListener(broker.source(), closingWait);
    for (int i = 1; i <= concurrency; i++) {
      BrokerWorker<M> worker =
          new BrokerWorker<>(broker, parking, new Reception(inbox), listener.counters);
      listener.add(worker, worker::end, threadName + "-" + i);
    }
    if (parking != null) {
      BrokerReplay<M> replay =
          new BrokerReplay<>(broker, parking, new Reception(inbox), listener.counters);
      listener.add(replay, replay::end, threadName + "-parked");
    }
    listener.threads.forEach(Thread::start);
    return listener;
  }

  private void add(Runnable work, Runnable ending, String threadName) {
    endings.add(ending);
    threads.add(new Thread(work, threadName));
  }

  public ListenerStatus status() {
    return new ListenerStatus(
        counters.connected.get(),
        counters.handled.get(),
        counters.repeated.get(),
        counters.failed.get(),
        counters.givenUp.get(),
        counters.parked.get(),
        counters.replayed.get(),
        counters.full.get() > 0);
  }

  /**
   * Receives nothing more, finishes and acknowledges what is being handled, and ends the
   * connections. What takes longer is interrupted; its message comes again, and is known if it was
   * committed. Closing twice does nothing. A handler may call it, and is not waited for.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    endings.forEach(Runnable::run);
    boolean interrupted = !join();
    for (Thread thread : threads) {
      if (thread.isAlive() && thread != Thread.currentThread()) {
        log.warn(
            "A handler of messages of {} did not end within {} and is interrupted. Its message is not acknowledged and comes again.",
            source,
            closingWait);
        thread.interrupt();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** False when the caller was interrupted. */
  private boolean join() {
    long began = Doorbell.nanos();
    for (Thread thread : threads) {
      Duration left = closingWait.minus(Doorbell.since(began));
      if (thread != Thread.currentThread() && !left.isNegative() && !left.isZero()) {
        try {
          thread.join(Math.max(1, left.toMillis()));
        } catch (InterruptedException e) {
          return false;
        }
      }
    }
    return true;
  }
}
