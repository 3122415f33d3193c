package dev.holdfast.outbox;

import dev.holdfast.outbox.store.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers the outbox's channels from this process, as leader or as standby of other processes that
 * configure the same channels. Thread-safe.
 */
public final class Relay implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Relay.class);

  /** How long a clean end may take before threads are interrupted. */
  private static final Duration LONGEST_CLOSE = Duration.ofSeconds(10);

  private final Heartbeat heartbeat;
  private final Housekeeper housekeeper;
  private final List<ChannelRunner> runners = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AutoCloseable listening;

  private Relay(Store store, List<ChannelConfig> channels, RelaySettings settings, String owner) {
    this.heartbeat = new Heartbeat(store.leases(), settings.leaseDuration(), owner);
    this.housekeeper = new Housekeeper(store, settings, owner, heartbeat, this::wake);
    for (ChannelConfig channel : channels) {
      ChannelRunner runner = new ChannelRunner(store, channel, settings, owner, heartbeat);
      runners.add(runner);
      threads.add(thread(runner, "holdfast-relay-" + channel.name()));
    }
    threads.add(thread(housekeeper, "holdfast-upkeep"));
    this.listening = store.wakeUps().listen(this::wake);
  }

  /**
   * Registers the channels and begins to deliver.
   *
   * @param owner names this process among the standbys, for people; must be unique
   */
  public static Relay start(
      Store store, List<ChannelConfig> channels, RelaySettings settings, String owner) {
    for (ChannelConfig channel : channels) {
      List<String> patterns = store.channels().register(channel.name(), channel.patterns());
      if (!channel.patterns().containsAll(patterns)) {
        log.warn(
            "channel {} also takes {} by the database's routes, which this process does not name;"
                + " holdfast outbox unroute removes what is no longer wanted",
            channel.name(),
            patterns.stream().filter(pattern -> !channel.patterns().contains(pattern)).toList());
      }
    }
    Relay relay = new Relay(store, channels, settings, owner);
    relay.threads.forEach(Thread::start);
    return relay;
  }

  private static Thread thread(Runnable runnable, String name) {
    Thread thread = new Thread(runnable, name);
    thread.setDaemon(true);
    return thread;
  }

  /** Hints that there may be something to deliver. Cheap. */
  public void wake() {
    runners.forEach(ChannelRunner::wake);
  }

  /** Whether this process leads all the channels it configures. */
  public boolean leadsAll() {
    return runners.stream().allMatch(runner -> runner.status().phase() == RelayPhase.LEADING);
  }

  public List<RelayStatus> status() {
    return runners.stream().map(ChannelRunner::status).toList();
  }

  /**
   * Ends cleanly: batches under way are finished, progress is copied, leases are released, so that
   * a standby takes over at once. Takes at most about ten seconds.
   */
  @Override
  public void close() {
    runners.forEach(ChannelRunner::close);
    housekeeper.close();
    try {
      awaitEnd();
    } catch (InterruptedException e) {
      // They have been told to end, and do so by themselves.
      Thread.currentThread().interrupt();
    } finally {
      stopListening();
      heartbeat.close();
    }
  }

  private void awaitEnd() throws InterruptedException {
    long deadline = System.nanoTime() + LONGEST_CLOSE.toNanos();
    for (Thread thread : threads) {
      long millis = Math.max(1, (deadline - System.nanoTime()) / 1_000_000);
      thread.join(millis);
      if (thread.isAlive()) {
        thread.interrupt();
      }
    }
  }

  private void stopListening() {
    try {
      listening.close();
    } catch (Exception e) {
      log.debug("listening for hints did not end cleanly", e);
    }
  }
}
