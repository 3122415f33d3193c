package dev.holdfast.outbox;

import dev.holdfast.HoldfastException;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.RelayPhase.Event;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.Store;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Runs one channel in this process, as leader or standby, until closed. Steps are made on one
 * thread: its own, or that of whoever steps it.
 */
final class ChannelRunner implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(ChannelRunner.class);
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  private final Store store;
  private final ChannelConfig channel;
  private final RelaySettings settings;
  private final String owner;
  private final Heartbeat heartbeat;
  private final Pace pace;
  private final OutboxListener listener;
  private final Doorbell doorbell = new Doorbell();
  private final Backoff backoff;
  private final Term.Counters counters = new Term.Counters();

  /** Held from the first step of a term to its end. */
  private @Nullable Lease lease;

  private @Nullable Term term;

  /** Opened as a standby and not used yet. */
  private @Nullable TargetSession prepared;

  private long preparedAt = Doorbell.nanos() - LOOK_AGAIN.toNanos();

  private volatile RelayPhase phase = RelayPhase.STANDBY;
  private volatile @Nullable String problem;
  private volatile boolean closing;

  ChannelRunner(
      Store store,
      ChannelConfig channel,
      RelaySettings settings,
      String owner,
      Heartbeat heartbeat,
      Pace pace,
      OutboxListener listener) {
    this.store = store;
    this.channel = channel;
    this.settings = settings;
    this.owner = owner;
    this.heartbeat = heartbeat;
    this.pace = pace;
    this.listener = listener;
    this.backoff =
        new Backoff(Duration.ofMillis(50), settings.longestRetry(), new Random(owner.hashCode()));
  }

  RelayStatus status() {
    return new RelayStatus(
        channel.name(), phase, counters.delivered.get(), counters.parked.get(), problem);
  }

  /** There may be something to deliver; nothing that would make who is blocked try earlier. */
  void wake() {
    if (phase != RelayPhase.BLOCKED) {
      doorbell.ring();
    }
  }

  void close() {
    closing = true;
    doorbell.ring();
  }

  @Override
  public void run() {
    try (MDC.MDCCloseable field = MDC.putCloseable("holdfast.channel", channel.name())) {
      while (!closing) {
        doorbell.await(step());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      problem = "The relay has failed and does not run in this process any more: " + e;
      log.error("channel {}: the relay has failed", channel.name(), e);
      throw e;
    } finally {
      end();
    }
  }

  /**
   * Does one thing: tries for the lease, takes over, delivers a page, looks again. At most one
   * transition of {@link RelayPhase} with what belongs to it.
   *
   * @return how long there is nothing to do, unless somebody rings; zero when there is at once
   */
  Duration step() throws InterruptedException {
    try {
      Lease held = lease;
      return held == null ? compete() : serve(held);
    } catch (HoldfastException e) {
      return unreachable(e.getMessage());
    } catch (RuntimeException e) {
      log.error("channel {}: unexpected, trying again", channel.name(), e);
      return unreachable(e.toString());
    }
  }

  /** Finishes what is under way and releases what is owned. The last thing that is called. */
  void end() {
    try {
      endTermAndRelease();
    } finally {
      discardPrepared();
      on(Event.CLOSE);
    }
  }

  /** Leaves everything as it is, as a process does that dies; only connections are closed. */
  void abandon() {
    Term left = term;
    term = null;
    lease = null;
    try {
      if (left != null) {
        left.close();
      }
    } finally {
      discardPrepared();
      on(Event.CLOSE);
    }
  }

  private Duration compete() {
    if (phase == RelayPhase.BLOCKED) {
      on(Event.RETRY);
      return Duration.ZERO;
    }
    ChannelState state = store.channels().state(channel.name()).orElse(ChannelState.STOPPED);
    return switch (state) {
      case RUNNING -> {
        if (phase != RelayPhase.STANDBY) {
          problem = null;
          on(Event.RUN_SEEN);
        }
        yield tryForLease();
      }
      case PAUSED -> idle(Event.PAUSE_SEEN, RelayPhase.PAUSED, "paused by an operator");
      case STOPPED ->
          idle(
              Event.STOP_SEEN,
              RelayPhase.STOPPED,
              "stopped; see the channel's reason with: holdfast outbox status");
    };
  }

  private Duration idle(Event event, RelayPhase becomes, String why) {
    if (phase != becomes) {
      problem = why;
      on(event);
    }
    return LOOK_AGAIN;
  }

  private Duration tryForLease() {
    long askedAt = Doorbell.nanos();
    Optional<Lease> won =
        store.leases().tryAcquire("channel/" + channel.name(), owner, settings.leaseDuration());
    if (won.isEmpty()) {
      problem = null;
      standBy();
      Duration wait = settings.leaseDuration().dividedBy(8);
      return wait.compareTo(LOOK_AGAIN) < 0 ? wait : LOOK_AGAIN;
    }
    lease = won.get();
    heartbeat.keep(won.get(), askedAt);
    on(Event.LEASE_TAKEN);
    return Duration.ZERO;
  }

  /** Connects to the target meanwhile, so that a takeover need not wait for that. */
  private void standBy() {
    if (prepared == null && Doorbell.hasPassed(LOOK_AGAIN, preparedAt)) {
      preparedAt = Doorbell.nanos();
      try {
        TargetSession session = openSession();
        prepared = session;
        session.peekProgress();
      } catch (HoldfastException e) {
        log.debug("channel {}: the target cannot be prepared for", channel.name(), e);
        discardPrepared();
      }
    }
  }

  private TargetSession openSession() {
    UUID storeId = store.log().identity(channel.name()).storeId();
    return channel
        .target()
        .open(new Target.Context(channel.name(), storeId + "-" + channel.name()));
  }

  private TargetSession takePrepared() {
    TargetSession session = prepared;
    prepared = null;
    return session == null ? openSession() : session;
  }

  private void discardPrepared() {
    TargetSession session = prepared;
    prepared = null;
    if (session != null) {
      session.close();
    }
  }

  private Duration serve(Lease held) throws InterruptedException {
    boolean goesOn = false;
    try {
      Term current = term;
      Duration wait = current == null ? takeOver(held) : step(current);
      goesOn = true;
      return wait;
    } catch (TermEnded e) {
      endTerm();
      return ended(held, e);
    } finally {
      if (!goesOn) {
        endTermAndRelease();
      }
    }
  }

  /** Only delivering ends the backoff: some targets can be taken over, and take nothing. */
  private Duration step(Term current) throws TermEnded, InterruptedException {
    Duration wait = current.step();
    backoff.reset();
    return wait;
  }

  private Duration takeOver(Lease held) throws TermEnded {
    Term begun =
        new Term(
            store, channel, settings, pace, takePrepared(), held, heartbeat, counters, listener);
    term = begun;
    begun.takeOver();
    problem = null;
    on(Event.ANCHORED);
    log.info("channel {}: leading, epoch {}", channel.name(), held.epoch());
    return Duration.ZERO;
  }

  private Duration ended(Lease held, TermEnded e) {
    log.info(
        "channel {}: the term of epoch {} ended: {}", channel.name(), held.epoch(), e.getMessage());
    if (e.event() == Event.UNREACHABLE) {
      return unreachable(e.getMessage());
    }
    problem = e.event() == Event.LEASE_LOST ? null : e.getMessage();
    on(e.event());
    return Duration.ZERO;
  }

  /** What a term that led leaves in order, whatever ended it. */
  private void endTerm() {
    Term ended = term;
    term = null;
    if (ended != null) {
      try (ended) {
        if (phase == RelayPhase.LEADING) {
          ended.finish();
        }
      }
    }
  }

  private void endTermAndRelease() {
    try {
      endTerm();
    } finally {
      release();
    }
  }

  private void release() {
    Lease held = lease;
    lease = null;
    if (held == null) {
      return;
    }
    heartbeat.forget(held);
    try {
      store.leases().release(held);
    } catch (RuntimeException e) {
      log.debug("channel {}: the lease was not released and will expire", channel.name(), e);
    }
  }

  private Duration unreachable(@Nullable String why) {
    problem = why;
    if (backoff.failures() == 0) {
      log.warn("channel {}: blocked, trying again: {}", channel.name(), why);
    }
    if (phase != RelayPhase.BLOCKED) {
      on(Event.UNREACHABLE);
    }
    return backoff.next();
  }

  private void on(Event event) {
    RelayPhase before = phase;
    RelayPhase after =
        before
            .after(event)
            .orElseThrow(
                () -> new IllegalStateException("No transition from " + before + " on " + event));
    phase = after;
    listener.phase(channel.name(), before, after, problem);
  }
}
