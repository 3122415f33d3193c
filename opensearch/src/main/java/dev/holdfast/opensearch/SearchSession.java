package dev.holdfast.opensearch;

import dev.holdfast.StoreUnavailable;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.opensearch.Bulk.Written;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Sends batches in bulk requests. In a request there is at most one document of each lane, so that
 * what is refused holds up the later ones of its key; of neighbours in a lane that are about one
 * document the last one goes for all, until the engine refuses it: then each goes by itself.
 */
final class SearchSession implements TargetSession {
  private final SearchIndex index;
  private final Function<OutboxRecord, Optional<Document>> mapping;
  private final Duration retryFor;
  private volatile boolean closed;

  /** Of the sending thread alone: halved when it was too much, and doubled when it was not. */
  private int documentsAtOnce = Bulk.DOCUMENTS_AT_MOST;

  SearchSession(
      SearchIndex index, Function<OutboxRecord, Optional<Document>> mapping, Duration retryFor) {
    this.index = index;
    this.mapping = mapping;
    this.retryFor = retryFor;
  }

  @Override
  public Optional<String> peekProgress() {
    return Optional.empty();
  }

  @Override
  public void takeOver() {
    // Nobody need be fenced: what is older than what is there is refused.
  }

  @Override
  public Optional<String> progress() {
    return Optional.empty();
  }

  /**
   * A message and what it says.
   *
   * @param version the position of the message that has said it: of this one, unless this one says
   *     nothing
   */
  private record Change(long position, long version, Document document) {}

  /** What is left of one lane. */
  private static final class Lane {
    final Deque<Change> left = new ArrayDeque<>();
    boolean oneByOne;

    /** How many of the first ones the next document stands for. */
    int neighbours() {
      String id = left.element().document().id();
      int number = 0;
      for (Change change : left) {
        if (!change.document().id().equals(id) || (oneByOne && number == 1)) {
          break;
        }
        number++;
      }
      return number;
    }

    Change last(int neighbours) {
      return left.stream().skip(neighbours - 1L).findFirst().orElseThrow();
    }
  }

  /** One call of {@link #send}. */
  private static final class Batch {
    final Map<String, Lane> lanes = new LinkedHashMap<>();
    final Map<Long, String> refused = new HashMap<>();
    final Set<Long> delivered = new HashSet<>();
    @Nullable String problem;

    void refuse(String lane, long position, String why) {
      refused.put(position, why);
      lanes.remove(lane);
    }
  }

  @Override
  public Delivery send(List<OutboxRecord> messages, String progress) {
    Batch batch = new Batch();
    Set<String> stopped = new HashSet<>();
    try {
      for (OutboxRecord message : messages) {
        if (!stopped.contains(message.lane())) {
          arrange(batch, message, stopped);
        }
      }
      write(batch);
    } catch (StoreUnavailable e) {
      return new Delivery.Unavailable(
          "what documents are made of cannot be read now: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Delivery.Unavailable("the relay was interrupted");
    }
    if (batch.problem != null && batch.refused.isEmpty()) {
      return new Delivery.Unavailable(
          "%s has taken %d of %d messages, and %s; the rest waits and is tried again"
              .formatted(index, batch.delivered.size(), messages.size(), batch.problem));
    }
    return batch.refused.isEmpty()
        ? new Delivery.Done()
        : new Delivery.Refused(Map.copyOf(batch.refused), Set.copyOf(batch.delivered));
  }

  private void arrange(Batch batch, OutboxRecord message, Set<String> stopped) {
    Optional<Document> document;
    try {
      document = mapping.apply(message);
    } catch (StoreUnavailable e) {
      // Nothing is wrong with the message.
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      // What is nested too deeply is refused for what it is, as well.
      batch.refused.put(message.position(), "no document was made of it: " + e);
      stopped.add(message.lane());
      return;
    }
    Lane lane = batch.lanes.get(message.lane());
    if (document.isPresent()) {
      batch
          .lanes
          .computeIfAbsent(message.lane(), name -> new Lane())
          .left
          .add(new Change(message.position(), message.position(), document.get()));
    } else if (lane == null) {
      batch.delivered.add(message.position());
    } else {
      // It says nothing, and waits all the same where what is before it has to.
      // By its own position the document would seem newer than what other lanes say of it.
      Change before = lane.left.getLast();
      lane.left.add(new Change(message.position(), before.version(), before.document()));
    }
  }

  private void write(Batch batch) throws InterruptedException {
    Backoff backoff =
        new Backoff(Duration.ofMillis(50), Duration.ofSeconds(1), ThreadLocalRandom.current());
    long troubledSince = Doorbell.nanos();
    while (!batch.lanes.isEmpty() && !closed) {
      Optional<String> trouble = writeOnce(batch);
      if (trouble.isEmpty()) {
        troubledSince = Doorbell.nanos();
        backoff.reset();
        continue;
      }
      Duration wait = backoff.next();
      if (Doorbell.since(troubledSince).plus(wait).compareTo(retryFor) > 0) {
        batch.problem = trouble.get();
        return;
      }
      new Doorbell().await(wait);
    }
    if (closed && !batch.lanes.isEmpty()) {
      batch.problem = "the session was closed";
    }
  }

  /** One document of a lane, in a request. */
  private record Sent(String name, Lane lane, int neighbours, Change change) {}

  /**
   * @return why nothing more can be written now, if so
   */
  private Optional<String> writeOnce(Batch batch) throws InterruptedException {
    Bulk bulk = new Bulk(index.name(), documentsAtOnce, index.isComparable());
    List<Sent> sent = new ArrayList<>();
    for (Map.Entry<String, Lane> each : List.copyOf(batch.lanes.entrySet())) {
      if (bulk.isFull()) {
        break;
      }
      Lane lane = each.getValue();
      int neighbours = lane.neighbours();
      Change change = lane.last(neighbours);
      try {
        bulk.add(change.document(), change.version(), index.clock().instant());
        sent.add(new Sent(each.getKey(), lane, neighbours, change));
      } catch (IOException e) {
        refused(batch, each.getKey(), lane, neighbours, String.valueOf(e.getMessage()));
      }
    }
    if (bulk.size() == 0) {
      return Optional.empty();
    }
    List<Written> written = bulk.send(index.engine());
    Optional<String> trouble = Optional.empty();
    boolean isTooMuch = false;
    for (int i = 0; i < sent.size(); i++) {
      Sent one = sent.get(i);
      Written what = written.get(i);
      if (what instanceof Written.Done) {
        done(batch, one);
      } else if (what instanceof Written.Refused refusal) {
        refused(batch, one.name(), one.lane(), one.neighbours(), refusal.why());
      } else if (what instanceof Written.NotNow not) {
        trouble = Optional.of(not.why());
      } else if (what instanceof Written.TooMuch much) {
        trouble = Optional.of(much.why());
        isTooMuch = true;
      }
    }
    documentsAtOnce =
        isTooMuch
            ? Math.max(1, bulk.size() / 2)
            : Math.min(Bulk.DOCUMENTS_AT_MOST, 2 * documentsAtOnce);
    return trouble;
  }

  private static void done(Batch batch, Sent sent) {
    for (int i = 0; i < sent.neighbours(); i++) {
      batch.delivered.add(sent.lane().left.remove().position());
    }
    if (sent.lane().left.isEmpty()) {
      batch.lanes.remove(sent.name());
    }
  }

  private static void refused(Batch batch, String name, Lane lane, int neighbours, String why) {
    if (neighbours > 1) {
      lane.oneByOne = true;
    } else {
      batch.refuse(name, lane.left.element().position(), why);
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
