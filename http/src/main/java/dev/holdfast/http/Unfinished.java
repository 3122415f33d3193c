package dev.holdfast.http;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What was delivered of batches that are not finished. A batch that is cut short comes again whole,
 * from the database's progress: without this, one message that is answered 503 would repeat all the
 * others of its batch each time that the channel tries again.
 *
 * <p>It is forgotten with the process, when the batch is finished, and after a while, so that a
 * channel that is set back on purpose is delivered anew. Thread-safe.
 */
final class Unfinished {
  private static final Duration REMEMBERED = Duration.ofMinutes(15);
  private static final int MAX_IDS = 50_000;

  private final Map<String, Ids> scopes = new ConcurrentHashMap<>();

  /** Of one channel. A target serves as many as name it. */
  Ids of(String scope) {
    return scopes.computeIfAbsent(scope, key -> new Ids());
  }

  /** The ids, and until when whoever was asked to wait does. */
  static final class Ids {
    private final Set<UUID> delivered = new HashSet<>();
    private long touchedAt = Doorbell.nanos();
    private long notBefore = Doorbell.nanos();

    synchronized boolean contains(UUID id) {
      if (Doorbell.hasPassed(REMEMBERED, touchedAt)) {
        delivered.clear();
      }
      return delivered.contains(id);
    }

    synchronized void add(UUID id) {
      if (delivered.size() < MAX_IDS) {
        delivered.add(id);
      }
      touchedAt = Doorbell.nanos();
    }

    synchronized void clear() {
      delivered.clear();
    }

    /** The endpoint asks for nothing to be sent until then. */
    synchronized void waitFor(Duration wait) {
      notBefore = Math.max(notBefore, Doorbell.nanos() + wait.toNanos());
    }

    synchronized Duration pause() {
      return Duration.ofNanos(Math.max(0, notBefore - Doorbell.nanos()));
    }
  }
}
