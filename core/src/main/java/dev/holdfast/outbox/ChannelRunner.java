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

/** Runs one channel in this process, as leader or standby, until closed. */
final class ChannelRunner implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(ChannelRunner.class);
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  private final Store store;
  private final ChannelConfig channel;
  private final RelaySettings settings;
  private final String owner;
  private final Heartbeat heartbeat;
  private final Doorbell doorbell = new Doorbell();
  private final Backoff backoff;
  private final Term.Counters counters = new Term.Counters();

  /** Opened as a standby and not used yet; of this runner's thread. */
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
      Heartbeat heartbeat) {
    this.store = store;
    this.channel = channel;
    this.settings = settings;
    this.owner = owner;
    this.heartbeat = heartbeat;
    this.backoff =
        new Backoff(Duration.ofMillis(50), settings.longestRetry(), new Random(owner.hashCode()));
  }

  RelayStatus status() {
    return new RelayStatus(
        channel.name(), phase, counters.delivered.get(), counters.parked.get(), problem);
  }

  void wake() {
    doorbell.ring();
  }

  void close() {
    closing = true;
    doorbell.ring();
  }

  @Override
  public void run() {
    try {
      while (!closing) {
        try {
          step();
        } catch (HoldfastException e) {
          unreachable(e.getMessage());
        } catch (RuntimeException e) {
          log.error("channel {}: unexpected, trying again", channel.name(), e);
          unreachable(e.toString());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Error e) {
      problem = "The relay has failed and does not run in this process any more: " + e;
      log.error("channel {}: the relay has failed", channel.name(), e);
      throw e;
    } finally {
      discardPrepared();
      on(Event.CLOSE);
    }
  }

  private void step() throws InterruptedException {
    if (phase == RelayPhase.BLOCKED) {
      doorbell.await(backoff.next());
      on(Event.RETRY);
      return;
    }
    ChannelState state = store.channels().state(channel.name()).orElse(ChannelState.STOPPED);
    switch (state) {
      case RUNNING -> {
        if (phase != RelayPhase.STANDBY) {
          problem = null;
          on(Event.RUN_SEEN);
        }
        compete();
      }
      case PAUSED -> idle(Event.PAUSE_SEEN, RelayPhase.PAUSED, "paused by an operator");
      case STOPPED ->
          idle(
              Event.STOP_SEEN,
              RelayPhase.STOPPED,
              "stopped; see the channel's reason with: holdfast outbox status");
    }
  }

  private void idle(Event event, RelayPhase becomes, String why) throws InterruptedException {
    if (phase != becomes) {
      problem = why;
      on(event);
    }
    doorbell.await(LOOK_AGAIN);
  }

  private void compete() throws InterruptedException {
    long askedAt = Doorbell.nanos();
    Optional<Lease> won =
        store.leases().tryAcquire("channel/" + channel.name(), owner, settings.leaseDuration());
    if (won.isEmpty()) {
      problem = null;
      standBy();
      Duration wait = settings.leaseDuration().dividedBy(8);
      doorbell.await(wait.compareTo(LOOK_AGAIN) < 0 ? wait : LOOK_AGAIN);
      return;
    }
    heartbeat.keep(won.get(), askedAt);
    on(Event.LEASE_TAKEN);
    try {
      serve(won.get());
    } finally {
      heartbeat.forget(won.get());
      release(won.get());
    }
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

  private void serve(Lease lease) throws InterruptedException {
    try (Term term =
        new Term(store, channel, settings, takePrepared(), lease, heartbeat, doorbell, counters)) {
      term.takeOver();
      on(Event.ANCHORED);
      problem = null;
      log.info("channel {}: leading, epoch {}", channel.name(), lease.epoch());
      backoff.reset();
      try {
        term.lead(this::endWhenClosing);
      } finally {
        term.finish();
      }
    } catch (TermEnded e) {
      log.info(
          "channel {}: the term of epoch {} ended: {}",
          channel.name(),
          lease.epoch(),
          e.getMessage());
      if (e.event() == Event.UNREACHABLE) {
        unreachable(e.getMessage());
      } else if (e.event() != Event.CLOSE) {
        problem = e.event() == Event.LEASE_LOST ? null : e.getMessage();
        on(e.event());
      }
    }
  }

  private void endWhenClosing() throws TermEnded {
    if (closing) {
      throw new TermEnded(Event.CLOSE, "the process is shutting down");
    }
  }

  private void release(Lease lease) {
    try {
      store.leases().release(lease);
    } catch (HoldfastException e) {
      log.debug("channel {}: the lease was not released and will expire", channel.name(), e);
    }
  }

  private void unreachable(@Nullable String why) {
    problem = why;
    if (backoff.failures() == 0) {
      log.warn("channel {}: blocked, trying again: {}", channel.name(), why);
    }
    on(Event.UNREACHABLE);
  }

  private void on(Event event) {
    phase =
        phase
            .after(event)
            .orElseThrow(
                () -> new IllegalStateException("No transition from " + phase + " on " + event));
  }
}
