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
 *
 * <p>{@linkplain #start Started}, it does so on threads of its own. {@linkplain #stepped Stepped},
 * it does the same on the caller's thread and nothing by itself.
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
  private final Pace pace;
  private boolean ended;

  private Relay(
      Store store,
      List<ChannelConfig> channels,
      RelaySettings settings,
      String owner,
      OutboxListener listener,
      Pace pace) {
    this.pace = pace;
    this.heartbeat = new Heartbeat(store.leases(), settings.leaseDuration(), owner, pace);
    this.housekeeper = new Housekeeper(store, settings, owner, heartbeat, this::wake);
    for (ChannelConfig channel : channels) {
      runners.add(new ChannelRunner(store, channel, settings, owner, heartbeat, pace, listener));
    }
    this.listening =
        switch (pace) {
          case TIMED -> channels.isEmpty() ? () -> {} : store.wakeUps().listen(this::wake);
          case STEPPED -> () -> {};
        };
  }

  /**
   * Registers the channels and begins to deliver.
   *
   * @param owner names this process among the standbys, for people; must be unique
   * @param listener learns of it; one that must not throw, as of {@link OutboxListener#all}
   */
  public static Relay start(
      Store store,
      List<ChannelConfig> channels,
      RelaySettings settings,
      String owner,
      OutboxListener listener) {
    register(store, channels);
    Relay relay = new Relay(store, channels, settings, owner, listener, Pace.TIMED);
    for (ChannelRunner runner : relay.runners) {
      relay.threads.add(thread(runner, "holdfast-relay-" + runner.status().channel()));
    }
    relay.threads.add(thread(relay.housekeeper, "holdfast-upkeep"));
    relay.threads.forEach(Thread::start);
    return relay;
  }

  /** As {@link #start}, and delivers nothing but by {@link #step} and {@link #upkeep}. */
  public static Relay stepped(
      Store store,
      List<ChannelConfig> channels,
      RelaySettings settings,
      String owner,
      OutboxListener listener) {
    register(store, channels);
    return new Relay(store, channels, settings, owner, listener, Pace.STEPPED);
  }

  private static void register(Store store, List<ChannelConfig> channels) {
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
  }

  private static Thread thread(Runnable runnable, String name) {
    Thread thread = new Thread(runnable, name);
    thread.setDaemon(true);
    return thread;
  }

  /**
   * A channel's next step.
   *
   * @return whether there is more to do at once
   * @throws IllegalStateException when it runs by itself, has ended, or has no such channel
   */
  public synchronized boolean step(String channel) {
    requireStepped();
    ChannelRunner runner =
        runners.stream()
            .filter(each -> each.status().channel().equals(channel))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "There is no channel "
                            + channel
                            + " here. Nothing was done. There are "
                            + runners.stream().map(each -> each.status().channel()).toList()
                            + "."));
    try {
      return runner.step().isZero();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Moves what is due into the log, and rotates segments.
   *
   * @throws IllegalStateException when it runs by itself or has ended
   */
  public synchronized void upkeep() {
    requireStepped();
    housekeeper.step();
  }

  private void requireStepped() {
    if (pace != Pace.STEPPED || ended) {
      throw new IllegalStateException(
          ended ? "This relay has ended. Nothing was done." : "This relay runs by itself.");
    }
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
    switch (pace) {
      case TIMED -> closeThreads();
      case STEPPED -> closeHere();
    }
  }

  private void closeThreads() {
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

  private synchronized void closeHere() {
    if (!ended) {
      ended = true;
      runners.forEach(ChannelRunner::end);
      housekeeper.end();
    }
  }

  /**
   * Ends as a process does that dies between two steps: connections to targets are closed, and
   * nothing is copied or released.
   *
   * @throws IllegalStateException when it runs by itself or has ended
   */
  public synchronized void abandon() {
    requireStepped();
    ended = true;
    runners.forEach(ChannelRunner::abandon);
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
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      log.debug("listening for hints did not end cleanly", e);
    }
  }
}
