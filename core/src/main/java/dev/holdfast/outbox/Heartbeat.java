package dev.holdfast.outbox;

import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.LeaseStore;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the leases of this process alive, on a thread of its own, so that a slow target does not
 * cost a leader its lease.
 *
 * <p>{@link #holds} is a courtesy, not the fence: it spares a leader that was paused a useless
 * attempt. What keeps a zombie from doing harm is the target's fence and the lock on the lease row.
 *
 * <p>Where nothing runs by itself, {@code holds} renews: a lease that is stepped never ends by the
 * clock of the process, only by that of the database.
 */
final class Heartbeat implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Heartbeat.class);

  private final LeaseStore leases;
  private final Duration duration;
  private final @Nullable ScheduledExecutorService thread;

  /** When each lease held ends, at the earliest, as a {@link Doorbell#nanos} reading. */
  private final Map<Lease, Long> ends = new ConcurrentHashMap<>();

  Heartbeat(LeaseStore leases, Duration duration, String owner, Pace pace) {
    this.leases = leases;
    this.duration = duration;
    this.thread =
        switch (pace) {
          case TIMED -> thread(owner);
          case STEPPED -> null;
        };
    if (thread != null) {
      long period = duration.toMillis() / 3;
      thread.scheduleWithFixedDelay(this::beat, period, period, TimeUnit.MILLISECONDS);
    }
  }

  private static ScheduledExecutorService thread(String owner) {
    return Executors.newSingleThreadScheduledExecutor(
        runnable -> {
          Thread heart = new Thread(runnable, "holdfast-heartbeat-" + owner);
          heart.setDaemon(true);
          return heart;
        });
  }

  /**
   * @param askedAt a reading from before the lease was asked for
   */
  void keep(Lease lease, long askedAt) {
    ends.put(lease, askedAt + duration.toNanos());
  }

  /** Extends the lease now. False when it has been taken over. */
  boolean renew(Lease lease) {
    long askedAt = Doorbell.nanos();
    boolean renewed = leases.renew(lease, duration);
    if (renewed) {
      ends.computeIfPresent(lease, (key, old) -> askedAt + duration.toNanos());
    } else {
      ends.remove(lease);
    }
    return renewed;
  }

  boolean holds(Lease lease) {
    if (thread == null) {
      return renew(lease);
    }
    Long end = ends.get(lease);
    return end != null && end - Doorbell.nanos() > 0;
  }

  void forget(Lease lease) {
    ends.remove(lease);
  }

  private void beat() {
    for (Lease lease : ends.keySet()) {
      try {
        if (!renew(lease)) {
          log.info("{} was taken over by another process", lease.name());
        }
      } catch (RuntimeException e) {
        log.warn(
            "{} could not be renewed, and will be tried again: {}", lease.name(), e.toString());
      }
    }
  }

  @Override
  public void close() {
    if (thread != null) {
      thread.shutdownNow();
    }
  }
}
