package dev.holdfast.http;

import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Duration;
import java.util.HashMap;
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
  private static final int MAX_MESSAGES = 50_000;

  private final Map<String, Messages> scopes = new ConcurrentHashMap<>();

  /** Of one channel. A target serves as many as name it. */
  Messages of(String scope) {
    return scopes.computeIfAbsent(scope, key -> new Messages());
  }

  /** Two messages of a channel may have one id, which an application chose. */
  private record Place(long position, UUID id) {
    static Place of(OutboxRecord message) {
      return new Place(message.position(), message.id());
    }
  }

  /** The messages, and until when whoever was asked to wait does. */
  static final class Messages {
    private final Set<Place> delivered = new HashSet<>();
    private final Map<Place, Long> failingSince = new HashMap<>();
    private long touchedAt = Doorbell.nanos();
    private long notBefore = Doorbell.nanos();

    synchronized boolean contains(OutboxRecord message) {
      if (Doorbell.hasPassed(REMEMBERED, touchedAt)) {
        delivered.clear();
      }
      return delivered.contains(Place.of(message));
    }

    synchronized void add(OutboxRecord message) {
      failingSince.remove(Place.of(message));
      if (delivered.size() < MAX_MESSAGES) {
        delivered.add(Place.of(message));
      }
      touchedAt = Doorbell.nanos();
    }

    /** How long the endpoint has been answering this message with an error. */
    synchronized Duration failed(OutboxRecord message) {
      if (failingSince.size() >= MAX_MESSAGES) {
        failingSince.clear();
      }
      return Doorbell.since(
          failingSince.computeIfAbsent(Place.of(message), key -> Doorbell.nanos()));
    }

    /** The batch is finished. */
    synchronized void clear() {
      delivered.clear();
      failingSince.clear();
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
