package dev.holdfast.projection;

import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.TransactionBody;
import dev.holdfast.boundary.Capability;
import dev.holdfast.eventlog.CheckpointAhead;
import dev.holdfast.eventlog.EventPage;
import dev.holdfast.eventlog.EventReader;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.store.Reading;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.LeaseStore;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.projection.store.ProjectionStore;
import dev.holdfast.projection.store.ProjectionStore.Parked;
import dev.holdfast.projection.store.ProjectionStore.Slot;
import dev.holdfast.projection.store.ProjectionStore.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one thread does for one channel, as long as the process runs.
 *
 * <p>Commit points: what the target acknowledges, with the progress where it keeps that; the slot's
 * checkpoint behind it; what is parked, before anything that was sent with it is passed. A crash
 * between the first two has the same events sent again, except where the target knows its progress.
 */
final class ChannelRun implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(ChannelRun.class);
  private static final int REASON_AT_MOST = 1_000;

  private final Holdfast holdfast;
  private final ProjectionStore store;
  private final EventChannel channel;
  private final Version version;
  private final ProjectionSettings settings;
  private final String owner;
  private final UUID storeId;
  private final BooleanSupplier closing;
  private final ProjectionListener listener;
  private final FollowerState.Progress health = new FollowerState.Progress();

  ChannelRun(
      Holdfast holdfast,
      EventChannel channel,
      ProjectionSettings settings,
      String owner,
      UUID storeId,
      BooleanSupplier closing,
      ProjectionListener listener) {
    this.holdfast = holdfast;
    this.store = holdfast.store().projections();
    this.channel = channel;
    this.version = versionOf(channel.name());
    this.settings = settings;
    this.owner = owner;
    this.storeId = storeId;
    this.closing = closing;
    this.listener = listener;
  }

  FollowerState state() {
    return FollowerState.of(version, List.of(health));
  }

  /** Beside those of projections, whose names have no slash. */
  static Version versionOf(String channel) {
    return new Version("channel/" + channel, 1);
  }

  private LeaseStore leases() {
    return holdfast.store().leases();
  }

  @Override
  public void run() {
    Backoff backoff =
        new Backoff(settings.retryWait(), Duration.ofSeconds(10), ThreadLocalRandom.current());
    while (!closing.getAsBoolean()) {
      try {
        takeTurn(backoff);
      } catch (InterruptedException e) {
        // By whoever closes this. Anybody else's would end the channel, and nobody would see it.
        log.debug("{}: interrupted", channel);
      }
    }
  }

  private void takeTurn(Backoff backoff) throws InterruptedException {
    try {
      Optional<Lease> lease =
          leases().tryAcquire("events/" + channel.name(), owner, settings.lease());
      if (lease.isPresent()) {
        lead(lease.get(), backoff);
      } else {
        health.well();
        Workers.pause(settings.lease().dividedBy(3), closing);
      }
    } catch (OtherLog | CheckpointAhead e) {
      health.failed(e.getMessage());
      log.error("{}: {}", channel, e.getMessage());
      Workers.pause(backoff.next(), closing);
    } catch (HoldfastException e) {
      health.failed(e.getMessage());
      log.warn("{}: tried again: {}", channel, e.getMessage());
      Workers.pause(backoff.next(), closing);
    } catch (RuntimeException | Error e) {
      health.failed(e);
      log.error("{}: unexpected, tried again", channel, e);
      Workers.pause(backoff.next(), closing);
    }
  }

  private void lead(Lease lease, Backoff backoff) throws InterruptedException {
    if (health.leads(lease.epoch())) {
      listener.takenUp(version, 0);
    }
    try {
      boolean isLed = true;
      while (isLed && !closing.getAsBoolean()) {
        try (TargetSession session =
            channel
                .target()
                .open(new Target.Context(channel.name(), storeId + "-events-" + channel.name()))) {
          isLed = new Led(lease, session).follow(backoff);
        }
        if (isLed && !closing.getAsBoolean()) {
          Workers.pause(backoff.next(), closing);
          isLed = leases().renew(lease, settings.lease());
        }
      }
    } finally {
      health.leadsNoMore();
      leases().release(lease);
    }
  }

  /** The target cannot be reached, or somebody else has it. */
  private static final class Ended extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final boolean isFenced;

    Ended(boolean isFenced, String message) {
      super(message, null, false, false);
      this.isFenced = isFenced;
    }
  }

  /** One session, from its taking over to its end. */
  private final class Led {
    private final Lease lease;
    private final TargetSession session;
    private final boolean keepsProgress;

    /** By key, from where on its events wait. */
    private final Map<String, Long> parked = new HashMap<>();

    private Slot at;

    /** The position that was passed last, and as the target keeps it, with its event. */
    private long sent;

    private String progress;
    private long renewedAt = Doorbell.nanos();
    private long lookedAt = renewedAt;

    Led(Lease lease, TargetSession session) {
      this.lease = lease;
      this.session = session;
      this.keepsProgress = channel.target().capabilities().contains(Capability.PROGRESS_MARK);
      // Whoever has had it before, and does not know that it has not, records nothing from now on.
      this.at = holdfast.transactReturning(tx -> store.lock(tx.connection(), version, 0));
      this.sent = at.checkpoint();
      this.progress = Long.toString(sent);
    }

    /**
     * @return whether it is to be tried again under the same lease
     */
    boolean follow(Backoff backoff) throws InterruptedException {
      try {
        // Before anybody is fenced: a copy of the database leaves the original's target alone.
        Optional<String> before = session.peekProgress();
        if (keepsProgress) {
          before.ifPresent(this::goOnBehind);
        }
        session.takeOver();
        if (keepsProgress) {
          session.progress().ifPresent(this::goOnBehind);
        }
        store
            .parked(version, SlotRun.PARKED_AT_MOST)
            .forEach(each -> parked.put(each.key(), each.position()));
        EventReader reader = holdfast.eventLog().reader(sent);
        while (!closing.getAsBoolean()) {
          if (!isLeased()) {
            return false;
          }
          EventPage page = reader.next(settings.batch(), settings.longestWait());
          if (!page.events().isEmpty()) {
            send(page.events(), page.checkpoint());
            backoff.reset();
          } else if (sent > at.checkpoint()) {
            // The target has it already, and a crash kept that from being recorded here.
            passed(sent);
          }
          health.well();
          if (Doorbell.hasPassed(settings.pollInterval(), lookedAt)) {
            lookedAt = Doorbell.nanos();
            sendReleased();
          }
        }
        return false;
      } catch (Ended e) {
        health.failed(e.getMessage());
        log.warn("{}: {}", channel, e.getMessage());
        return !e.isFenced;
      }
    }

    /**
     * From what the target has had last. Where the database has lost commits, by a failover or a
     * restore, other events have the positions that the target has had, and nobody would send them.
     */
    private void goOnBehind(String kept) {
      int colon = kept.indexOf(':');
      sent = Long.parseLong(colon < 0 ? kept : kept.substring(0, colon));
      progress = kept;
      if (colon >= 0) {
        List<RecordedEvent> there =
            holdfast.store().events().readSettled(new Reading(sent - 1, sent), 1);
        if (there.isEmpty() || !progressOf(there.get(0)).equals(kept)) {
          throw new OtherLog(channel, sent);
        }
      }
    }

    private static String progressOf(RecordedEvent event) {
      return event.position() + ":" + event.id();
    }

    private boolean isLeased() {
      if (!Doorbell.hasPassed(settings.lease().dividedBy(4), renewedAt)) {
        return true;
      }
      renewedAt = Doorbell.nanos();
      return leases().renew(lease, settings.lease());
    }

    private boolean isWaiting(OutboxRecord message) {
      Long from = parked.get(message.key());
      return from != null && message.position() >= from;
    }

    private List<OutboxRecord> messages(List<RecordedEvent> events) {
      return events.stream().filter(channel::concerns).map(channel::message).toList();
    }

    /** Sends a page, without what waits; and has passed it then. */
    private void send(List<RecordedEvent> events, long checkpoint) {
      List<OutboxRecord> left =
          new ArrayList<>(
              messages(events).stream().filter(message -> !isWaiting(message)).toList());
      String mark = progressOf(events.get(events.size() - 1));
      while (!deliver(left, mark)) {
        left.removeIf(this::isWaiting);
      }
      sent = checkpoint;
      progress = mark;
      passed(checkpoint);
    }

    /** With what nobody else may have changed since this session has begun. */
    private void fenced(TransactionBody work) {
      boolean isMine =
          holdfast.transactReturning(
              tx -> {
                boolean stillIs = store.advance(tx.connection(), version, 0, at, at.checkpoint());
                if (stillIs) {
                  work.run(tx);
                }
                return stillIs;
              });
      if (!isMine) {
        throw new Ended(true, "somebody else has it");
      }
    }

    private void passed(long checkpoint) {
      if (!move(checkpoint)) {
        throw new Ended(true, "somebody else has moved its checkpoint");
      }
    }

    private boolean move(long checkpoint) {
      Slot from = at;
      boolean moved =
          holdfast.transactReturning(
              tx -> store.advance(tx.connection(), version, 0, from, checkpoint));
      at = new Slot(checkpoint, from.generation());
      return moved;
    }

    /**
     * @return false when some of it was refused, is parked now, and the rest has to be sent
     */
    private boolean deliver(List<OutboxRecord> messages, String mark) {
      if (messages.isEmpty() && !keepsProgress) {
        return true;
      }
      long begun = Doorbell.nanos();
      Delivery delivery = session.send(List.copyOf(messages), mark);
      if (!closing.getAsBoolean() && Thread.interrupted()) {
        // By the target itself: the waits of this thread are not its.
        log.debug("{}: the target has left its thread interrupted", channel);
      }
      if (delivery instanceof Delivery.Done) {
        tellApplied(messages.size(), begun);
        return true;
      }
      if (delivery instanceof Delivery.Refused refused) {
        if (parked.size() + refused.refused().size() > SlotRun.PARKED_AT_MOST) {
          throw new Ended(
              false,
              "%d keys are parked, so nothing more is: %s"
                  .formatted(parked.size(), refused.refused().values().iterator().next()));
        }
        tellApplied(refused.delivered().size(), begun);
        park(messages, refused.refused());
        messages.removeIf(message -> refused.delivered().contains(message.position()));
        return false;
      }
      if (delivery instanceof Delivery.Unavailable unavailable) {
        throw new Ended(false, unavailable.reason());
      }
      throw new Ended(true, "another process has taken over at the target");
    }

    private void tellApplied(int events, long begun) {
      if (events > 0) {
        listener.applied(version, 0, events, Duration.ofNanos(Doorbell.nanos() - begun));
      }
    }

    /** Recorded before anything behind it is passed. */
    private void park(List<OutboxRecord> messages, Map<Long, String> refused) {
      // Of its own: the transaction may be run again.
      Map<String, Parking> more = new LinkedHashMap<>();
      fenced(
          tx -> {
            more.clear();
            for (OutboxRecord message : messages) {
              String reason = refused.get(message.position());
              String key = String.valueOf(message.key());
              if (reason == null || parked.containsKey(key) || more.containsKey(key)) {
                continue;
              }
              String bounded =
                  (reason.length() > REASON_AT_MOST ? reason.substring(0, REASON_AT_MOST) : reason)
                      .replace('\0', ' ');
              store.unpark(tx.connection(), version, key);
              store.park(tx.connection(), version, 0, key, message.position(), bounded);
              more.put(key, new Parking(message.position(), bounded));
            }
          });
      more.forEach(this::tellParked);
    }

    private void tellParked(String key, Parking parking) {
      parked.put(key, parking.position());
      log.error(
          "{}: key {} is parked at position {}: {}",
          channel,
          key,
          parking.position(),
          parking.reason());
      listener.parked(version, 0, key, parking.position(), parking.reason());
    }

    private record Parking(long position, String reason) {}

    private void sendReleased() {
      for (Parked each : store.parked(version, SlotRun.PARKED_AT_MOST)) {
        if (each.isReleased()) {
          sendReleased(each);
        }
      }
    }

    /** Up to what was passed of it; later events of the key are followed again. */
    private void sendReleased(Parked released) {
      // All of it was read before: whoever is appending now must not seem to be the log's end.
      Reading reading = new Reading(released.position() - 1, sent);
      parked.remove(released.key());
      while (reading.after() < sent) {
        if (!isLeased()) {
          throw new Ended(true, "its lease is lost");
        }
        List<RecordedEvent> own =
            holdfast.store().events().readSettled(reading, settings.batch()).stream()
                .filter(event -> event.position() <= sent)
                .filter(event -> event.stream().equals(released.key()))
                .toList();
        if (!own.isEmpty() && !deliver(new ArrayList<>(messages(own)), progress)) {
          // Parked again, at what was refused.
          return;
        }
      }
      fenced(tx -> store.unpark(tx.connection(), version, released.key()));
    }
  }
}
