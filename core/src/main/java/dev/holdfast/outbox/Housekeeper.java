package dev.holdfast.outbox;

import dev.holdfast.HoldfastException;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.Store;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves delayed messages that are due, rotates segments and looks after reservations; one process
 * at a time, by a lease of its own.
 */
final class Housekeeper implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(Housekeeper.class);
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);
  private static final int DUE_AT_ONCE = 1_000;

  /** So that one kind of work does not keep the others waiting. */
  private static final int ROUNDS_AT_MOST = 20;

  /** What is due and cannot be moved, since its key is held, is not tried all the time. */
  private static final Duration SOONEST = Duration.ofMillis(20);

  private final Store store;
  private final RelaySettings settings;
  private final String owner;
  private final Heartbeat heartbeat;
  private final Runnable moved;
  private final Doorbell doorbell = new Doorbell();
  private volatile boolean closing;
  private boolean failed;
  private @Nullable Lease lease;

  /**
   * @param moved called when messages have been moved into the log
   */
  Housekeeper(
      Store store, RelaySettings settings, String owner, Heartbeat heartbeat, Runnable moved) {
    this.store = store;
    this.settings = settings;
    this.owner = owner;
    this.heartbeat = heartbeat;
    this.moved = moved;
  }

  void close() {
    closing = true;
    doorbell.ring();
  }

  @Override
  public void run() {
    try {
      while (!closing) {
        doorbell.await(step());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      end();
    }
  }

  /**
   * Takes or keeps the lease, and does what there is to do.
   *
   * @return how long there will be nothing
   */
  Duration step() {
    try {
      Lease held = hold(lease);
      lease = held;
      Duration wait = held == null ? LOOK_AGAIN : work(held);
      failed = false;
      return wait;
    } catch (HoldfastException e) {
      if (!failed) {
        log.warn("upkeep failed and is tried again: {}", e.getMessage());
      }
      failed = true;
    } catch (RuntimeException e) {
      log.error("upkeep: unexpected, trying again", e);
      failed = true;
    }
    return LOOK_AGAIN;
  }

  private @Nullable Lease hold(@Nullable Lease held) {
    if (held != null && heartbeat.holds(held)) {
      return held;
    }
    long askedAt = Doorbell.nanos();
    Optional<Lease> won = store.leases().tryAcquire("upkeep", owner, settings.leaseDuration());
    won.ifPresent(taken -> heartbeat.keep(taken, askedAt));
    return won.orElse(null);
  }

  private Duration work(Lease lease) {
    int count;
    do {
      count = store.upkeep().moveDue(lease, DUE_AT_ONCE);
      if (count > 0) {
        moved.run();
      }
    } while (count == DUE_AT_ONCE && !closing);
    store.upkeep().rotate(lease);
    boolean more = true;
    for (int round = 0; more && round < ROUNDS_AT_MOST && !closing; round++) {
      more = store.upkeep().tendReservations(lease, DUE_AT_ONCE);
    }
    Duration due = store.upkeep().untilNextDue();
    if (due == null || due.compareTo(LOOK_AGAIN) > 0) {
      return LOOK_AGAIN;
    }
    return due.compareTo(SOONEST) < 0 ? SOONEST : due;
  }

  /** Releases the lease. The last thing that is called. */
  void end() {
    Lease held = lease;
    lease = null;
    if (held != null) {
      heartbeat.forget(held);
      try {
        store.leases().release(held);
      } catch (HoldfastException e) {
        log.debug("the upkeep lease was not released and will expire", e);
      }
    }
  }
}
