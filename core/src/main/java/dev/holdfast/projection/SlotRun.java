package dev.holdfast.projection;

import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.Transaction;
import dev.holdfast.eventlog.EventPage;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.LeaseStore;
import dev.holdfast.projection.store.ProjectionStore;
import dev.holdfast.projection.store.ProjectionStore.Slot;
import dev.holdfast.projection.store.ProjectionStore.Version;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What one thread does for one slot, as long as the process runs. */
final class SlotRun implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(SlotRun.class);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);
  private static final int REASON_AT_MOST = 1_000;

  /** How soon a replay is begun that somebody asks for from outside. */
  private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);

  /** Of so many something else is wrong than they: what fails waits then, and is tried again. */
  static final int PARKED_AT_MOST = 1_000;

  private final Holdfast holdfast;
  private final ProjectionStore store;
  private final Projection projection;
  private final Version version;
  private final int number;
  private final ProjectionSettings settings;
  private final String owner;
  private final BooleanSupplier closing;
  private final ToIntFunction<String> replay;
  private final ProjectionListener listener;
  private final FollowerState.Progress progress = new FollowerState.Progress();

  /**
   * @param replay replays a key, as {@link Projections#replay} does
   */
  SlotRun(
      Holdfast holdfast,
      ProjectionStore store,
      Projection projection,
      int number,
      ProjectionSettings settings,
      String owner,
      BooleanSupplier closing,
      ToIntFunction<String> replay,
      ProjectionListener listener) {
    this.holdfast = holdfast;
    this.store = store;
    this.projection = projection;
    this.version = new Version(projection.name(), projection.version());
    this.number = number;
    this.settings = settings;
    this.owner = owner;
    this.closing = closing;
    this.replay = replay;
    this.listener = listener;
  }

  FollowerState.Progress progress() {
    return progress;
  }

  private LeaseStore leases() {
    return holdfast.store().leases();
  }

  @Override
  public void run() {
    Backoff backoff =
        new Backoff(settings.retryWait(), Duration.ofSeconds(5), ThreadLocalRandom.current());
    while (!closing.getAsBoolean()) {
      try {
        if (!takeTurn(backoff)) {
          return;
        }
      } catch (InterruptedException e) {
        // By whoever closes this. Anybody else's would end the slot, and nobody would see it.
        log.debug("{} slot {}: interrupted", projection, number);
      }
    }
  }

  /**
   * @return false when a later version is live
   */
  private boolean takeTurn(Backoff backoff) throws InterruptedException {
    try {
      if (store.live(version.name()) > version.version()) {
        log.info("projection {}: a later version is live, so it is not followed", projection);
        return false;
      }
      Optional<Lease> lease =
          leases().tryAcquire("projection/" + version + "/" + number, owner, settings.lease());
      if (lease.isPresent()) {
        lead(lease.get(), backoff);
      } else {
        progress.well();
        Workers.pause(settings.lease().dividedBy(3), closing);
      }
    } catch (StoreUnavailable | OutcomeUnknown e) {
      progress.failed(e.getMessage());
      log.warn("{} slot {}: tried again: {}", projection, number, e.getMessage());
      Workers.pause(backoff.next(), closing);
    } catch (HoldfastException e) {
      progress.failed(e.getMessage());
      log.error("{} slot {}: tried again: {}", projection, number, e.getMessage());
      Workers.pause(backoff.next(), closing);
    } catch (RuntimeException | Error e) {
      progress.failed(e);
      log.error("{} slot {}: unexpected, tried again", projection, number, e);
      Workers.pause(backoff.next(), closing);
    }
    return true;
  }

  private void lead(Lease lease, Backoff backoff) throws InterruptedException {
    if (progress.leads(lease.epoch())) {
      listener.takenUp(version, number);
    }
    try {
      while (!closing.getAsBoolean() && follow(lease, backoff)) {
        // From where the slot is now: somebody has moved it, or has unparked something.
      }
    } finally {
      progress.leadsNoMore();
      leases().release(lease);
    }
  }

  /**
   * Follows the log from the slot's checkpoint on.
   *
   * @return false when the lease is lost, or a later version is live
   */
  private boolean follow(Lease lease, Backoff backoff) throws InterruptedException {
    Slot at = store.slot(version, number);
    // Later than the slot: what is parked or unparked behind it has another generation or place.
    Set<String> parked = store.parkedKeys(version, number);
    try (PagesAhead pages =
        new PagesAhead(
            holdfast.eventLog().reader(at.checkpoint()),
            settings.batch(),
            Thread.currentThread().getName() + "-ahead")) {
      return follow(lease, backoff, at, parked, pages);
    }
  }

  private boolean follow(
      Lease lease, Backoff backoff, Slot from, Set<String> parked, PagesAhead pages)
      throws InterruptedException {
    Slot at = from;
    long renewedAt = Doorbell.nanos();
    long lookedAt = renewedAt;
    long askedAt = renewedAt;
    while (!closing.getAsBoolean()) {
      if (Doorbell.hasPassed(settings.lease().dividedBy(4), renewedAt)) {
        renewedAt = Doorbell.nanos();
        if (!leases().renew(lease, settings.lease())) {
          return false;
        }
      }
      if (Doorbell.hasPassed(BETWEEN_LOOKS, askedAt)) {
        askedAt = Doorbell.nanos();
        List<String> asked = store.released(version, number);
        if (!asked.isEmpty()) {
          asked.forEach(this::replayAsked);
          return leases().renew(lease, settings.lease());
        }
      }
      EventPage page = pages.next(settings.longestWait());
      if (!page.events().isEmpty()) {
        List<RecordedEvent> mine = page.events().stream().filter(this::isMine).toList();
        Optional<Slot> next = whole(at, without(mine, parked), page.checkpoint());
        if (next.isEmpty()) {
          // One of them fails, or the slot is somewhere else; or this was cut off by being closed.
          return !closing.getAsBoolean() && oneByOne(lease, at, mine);
        }
        at = next.get();
        backoff.reset();
      }
      progress.well();
      boolean isNearTheEnd = page.events().size() < settings.batch();
      if (isNearTheEnd && Doorbell.hasPassed(settings.pollInterval(), lookedAt)) {
        lookedAt = Doorbell.nanos();
        if (!isWanted()) {
          return false;
        }
      }
    }
    return false;
  }

  /** Who asks is told by what is parked then: nothing, or the key with a reason. */
  private void replayAsked(String key) {
    if (closing.getAsBoolean()) {
      return;
    }
    long begun = Doorbell.nanos();
    try {
      int[] applied = {0};
      run(() -> applied[0] = replay.applyAsInt(key));
      log.info("projection {}: key {} is replayed: {} event(s)", projection, key, applied[0]);
      tellApplied(applied[0], begun);
    } catch (StoreUnavailable | OutcomeUnknown e) {
      throw e;
    } catch (RuntimeException e) {
      if (closing.getAsBoolean()) {
        // Perhaps by that: it is still asked for.
        return;
      }
      String reason = reason(e);
      store.refuse(version, key, reason);
      log.error("projection {}: key {} could not be replayed: {}", projection, key, reason);
    }
  }

  private void tellApplied(int events, long begun) {
    if (events > 0) {
      listener.applied(version, number, events, Duration.ofNanos(Doorbell.nanos() - begun));
    }
  }

  /**
   * Little is left to be applied, if anything: perhaps this version takes over, or has been taken
   * over from.
   */
  private boolean isWanted() {
    int live = store.live(version.name());
    if (live < version.version() && number == 0) {
      becomeLive();
    }
    return live <= version.version();
  }

  private void becomeLive() {
    holdfast.transact(
        tx -> {
          if (store.switchTo(tx.connection(), version)) {
            projection.switchTo(tx);
            log.info("projection {} is live", projection);
          }
        });
  }

  private boolean isMine(RecordedEvent event) {
    return projection.concerns(event) && projection.slotOf(projection.keyOf(event)) == number;
  }

  private List<RecordedEvent> without(List<RecordedEvent> mine, Set<String> parked) {
    return parked.isEmpty()
        ? mine
        : mine.stream().filter(event -> !parked.contains(projection.keyOf(event))).toList();
  }

  /**
   * Applies all in one transaction.
   *
   * @return where the slot is then; empty when one has failed, or the slot was somewhere else
   */
  private Optional<Slot> whole(Slot at, List<RecordedEvent> events, long to) {
    long begun = Doorbell.nanos();
    try {
      holdfast.transact(
          tx -> {
            run(() -> projection.apply(tx, events));
            if (!store.advance(tx.connection(), version, number, at, to)) {
              throw new Moved();
            }
          });
      tellApplied(events.size(), begun);
      return Optional.of(new Slot(to, at.generation()));
    } catch (StoreUnavailable e) {
      throw e;
    } catch (Moved | OutcomeUnknown e) {
      return Optional.empty();
    } catch (RuntimeException e) {
      log.debug("{} slot {}: a batch has failed, one by one now", projection, number, e);
      return Optional.empty();
    }
  }

  /** The slot is not where it was, or something was unparked. */
  private static final class Moved extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Moved() {
      super("moved", null, false, false);
    }
  }

  private static final class Failed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Failed(Throwable cause) {
      super(cause);
    }
  }

  private interface Work {
    void run() throws Exception;
  }

  /**
   * An error of a handler's is one of that event, as is how deep it goes; one of this JVM is not.
   */
  private void run(Work work) {
    try {
      work.run();
    } catch (StackOverflowError e) {
      throw new Failed(e);
    } catch (RuntimeException | VirtualMachineError e) {
      throw e;
    } catch (Throwable e) {
      throw new Failed(e);
    } finally {
      if (!closing.getAsBoolean() && Thread.interrupted()) {
        // By the handler itself: the waits of this thread are not its.
        log.debug("{} slot {}: a handler has left its thread interrupted", projection, number);
      }
    }
  }

  /**
   * Each in a transaction of its own, so that one that fails is parked alone. Who is parked was
   * read behind the slot, and is known as long as that is where it was left.
   *
   * @return false when the lease is lost
   */
  private boolean oneByOne(Lease lease, Slot from, List<RecordedEvent> events)
      throws InterruptedException {
    Slot at = store.slot(version, number);
    Set<String> parked = new HashSet<>(store.parkedKeys(version, number));
    if (!at.equals(from)) {
      return leases().renew(lease, settings.lease());
    }
    for (RecordedEvent event : events) {
      String key = projection.keyOf(event);
      if (parked.contains(key)) {
        continue;
      }
      Applied applied = applyOrPark(lease, at, event, parked.size() < PARKED_AT_MOST);
      if (applied == Applied.NOT) {
        break;
      }
      if (applied == Applied.PARKED) {
        parked.add(key);
      }
      at = new Slot(event.position(), at.generation());
    }
    return leases().renew(lease, settings.lease());
  }

  private enum Applied {
    DONE,
    PARKED,
    /** The slot was somewhere else, or the lease is lost. */
    NOT
  }

  private Applied applyOrPark(Lease lease, Slot at, RecordedEvent event, boolean mayPark)
      throws InterruptedException {
    Backoff backoff = new Backoff(settings.retryWait(), LONGEST_WAIT, ThreadLocalRandom.current());
    int attempts = 0;
    while (true) {
      long begun = Doorbell.nanos();
      try {
        holdfast.transact(tx -> applyOne(tx, at, event));
        tellApplied(1, begun);
        return Applied.DONE;
      } catch (StoreUnavailable e) {
        throw e;
      } catch (Moved | OutcomeUnknown e) {
        return Applied.NOT;
      } catch (RuntimeException e) {
        if (closing.getAsBoolean()) {
          // Perhaps by that: it says nothing about the event.
          return Applied.NOT;
        }
        attempts++;
        if (attempts >= settings.attempts() && mayPark) {
          return park(at, event, e);
        }
        if (attempts == settings.attempts()) {
          progress.failed(reason(e));
          log.error(
              "projection {} slot {}: {} keys are parked, so this one is tried again until it can be applied: {} fails",
              projection,
              number,
              PARKED_AT_MOST,
              event,
              e);
        }
      }
      Workers.pause(backoff.next(), closing);
      if (closing.getAsBoolean() || !leases().renew(lease, settings.lease())) {
        return Applied.NOT;
      }
    }
  }

  private void applyOne(Transaction tx, Slot at, RecordedEvent event) throws SQLException {
    run(() -> projection.apply(tx, event));
    if (!store.advance(tx.connection(), version, number, at, event.position())) {
      throw new Moved();
    }
  }

  private Applied park(Slot at, RecordedEvent event, RuntimeException failure) {
    String reason = reason(failure);
    String key = projection.keyOf(event);
    try {
      holdfast.transact(
          tx -> {
            store.park(tx.connection(), version, number, key, event.position(), reason);
            if (!store.advance(tx.connection(), version, number, at, event.position())) {
              throw new Moved();
            }
          });
    } catch (Moved | OutcomeUnknown e) {
      return Applied.NOT;
    }
    log.error(
        "projection {}: key {} is parked at position {}: {}",
        projection,
        key,
        event.position(),
        reason);
    listener.parked(version, number, key, event.position(), reason);
    return Applied.PARKED;
  }

  /** Bounded, and as a column can hold it. */
  private static String reason(RuntimeException failure) {
    String reason = String.valueOf(failure instanceof Failed ? failure.getCause() : failure);
    String bounded =
        reason.length() > REASON_AT_MOST ? reason.substring(0, REASON_AT_MOST) + "…" : reason;
    return bounded.replace('\0', ' ');
  }
}
