package dev.holdfast.kafka.inbox;

import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.OffsetStore;
import dev.holdfast.inbox.store.OffsetStore.Position;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A client's membership in the group, from the subscription to the first surprise of Kafka's. */
final class Session implements ConsumerRebalanceListener {
  private static final Logger log = LoggerFactory.getLogger(Session.class);

  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration HOUSEKEEPING = Duration.ofSeconds(1);
  private static final Duration COPY = Duration.ofSeconds(5);
  private static final Duration LONGEST_LOOK = Duration.ofMillis(500);

  /** Kept over sessions; written by the thread that reads, read by anybody. */
  static final class Counters {
    final AtomicLong handled = new AtomicLong();
    final AtomicLong parked = new AtomicLong();
  }

  private final String consumer;
  private final KafkaInboxSettings settings;
  private final KafkaConsumer<byte[], byte[]> client;
  private final TopicIds ids;
  private final TopicCheck check;
  private final LogOffsets logs;
  private final BooleanSupplier closing;
  private final Consumer<List<PartitionStatus>> status;
  private final Counters counters;
  private final OffsetStore offsets;
  private final ConsumerParking parking;
  private final Effects effects;
  private final Opening opening;
  private final Replay replay;
  private final Map<TopicPartition, Reading> readings = new HashMap<>();
  private final Backoff backoff =
      new Backoff(Duration.ofMillis(50), Duration.ofSeconds(5), ThreadLocalRandom.current());
  private LogOffsets.Question ends = LogOffsets.Question.none();
  private final int worthOverlapping;
  private boolean paused;
  private long keptHouse = Doorbell.nanos() - HOUSEKEEPING.toNanos();
  private long copied = Doorbell.nanos();

  Session(
      Holdfast holdfast,
      String consumer,
      KafkaInboxSettings settings,
      Handling handling,
      KafkaConsumer<byte[], byte[]> client,
      Admin admin,
      BooleanSupplier closing,
      Consumer<List<PartitionStatus>> status,
      Counters counters) {
    this.consumer = consumer;
    this.settings = settings;
    this.worthOverlapping = handling.worthOverlapping();
    this.client = client;
    this.ids = new TopicIds(admin);
    this.check = new TopicCheck(ids);
    this.logs = new LogOffsets(admin);
    this.closing = closing;
    this.status = status;
    this.counters = counters;
    this.offsets = holdfast.store().offsets();
    this.parking = holdfast.store().consumerParking();
    this.effects = new Effects(holdfast, consumer, settings, handling);
    this.replay =
        new Replay(consumer, parking, effects, closing, counters.handled::incrementAndGet);
    this.opening = new Opening(consumer, settings.startAt(), offsets, parking);
  }

  void run(Collection<String> topics) {
    client.subscribe(topics, this);
    warnOfMissing(topics);
    while (!closing.getAsBoolean()) {
      open();
      ConsumerRecords<byte[], byte[]> polled = poll(POLL);
      if (!polled.isEmpty()) {
        handle(polled);
      }
      if (Doorbell.hasPassed(HOUSEKEEPING, keptHouse)) {
        keptHouse = Doorbell.nanos();
        keepHouse();
      }
    }
  }

  private void warnOfMissing(Collection<String> topics) {
    Set<String> there = ids.named(topics).keySet();
    List<String> missing = topics.stream().filter(topic -> !there.contains(topic)).toList();
    opening.readFromTheFirst(missing);
    if (!missing.isEmpty()) {
      log.warn(
          "consumer {}: the broker does not know {}; it is waited for, and read from its first record on when it is there",
          consumer,
          missing);
    }
  }

  private ConsumerRecords<byte[], byte[]> poll(Duration atMost) {
    try {
      return client.poll(atMost);
    } catch (OffsetOutOfRangeException e) {
      opening.doubt(e);
      e.partitions().forEach(this::reopen);
      return ConsumerRecords.empty();
    }
  }

  /** Nothing of it is fetched before its position is known. */
  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    partitions.forEach(this::reopen);
  }

  private void reopen(TopicPartition partition) {
    readings.remove(partition);
    opening.add(partition);
    client.pause(List.of(partition));
    // A client without a position does not let others be polled either.
    client.seek(partition, 0);
  }

  private void reopenAll() {
    List.copyOf(readings.keySet()).forEach(this::reopen);
  }

  /** Whatever was begun is committed, or rolled back: this is called while polling. */
  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    partitions.forEach(readings::remove);
    partitions.forEach(opening::remove);
  }

  private void open() {
    if (opening.isEmpty()) {
      return;
    }
    try {
      for (Reading reading : opening.open(logs, ids)) {
        readings.put(reading.at, reading);
        if (reading.stopped == null) {
          client.seek(
              reading.at,
              new OffsetAndMetadata(
                  reading.next, Optional.ofNullable(reading.leaderEpoch), "from the database"));
        }
      }
      resume();
      backoff.reset();
    } catch (WakeupException | InterruptException e) {
      throw e;
    } catch (HoldfastException | KafkaException e) {
      log.warn("consumer {}: partitions wait, their offsets could not be read", consumer, e);
      hold(backoff.next());
    }
  }

  private void resume() {
    if (!paused) {
      client.resume(
          readings.values().stream()
              .filter(reading -> reading.stopped == null)
              .map(reading -> reading.at)
              .toList());
    }
  }

  /** Stays a member of the group and does nothing else. */
  private void hold(Duration time) {
    client.pause(client.assignment());
    long since = Doorbell.nanos();
    do {
      Duration left = time.minus(Doorbell.since(since));
      poll(left.compareTo(POLL) < 0 ? left.isNegative() ? Duration.ZERO : left : POLL);
    } while (!Doorbell.hasPassed(time, since) && !closing.getAsBoolean());
    resume();
  }

  /** Whoever waits for something else would not see that an operator wants it to pause. */
  private void holdWhilePaused() {
    do {
      try {
        pauseOrResume(offsets.pausedBecause(consumer).isPresent());
      } catch (HoldfastException e) {
        log.debug("consumer {}: cannot look whether it is paused", consumer, e);
      }
      status.accept(status());
      if (paused) {
        hold(HOUSEKEEPING);
      }
    } while (paused && !closing.getAsBoolean());
  }

  private void handle(ConsumerRecords<byte[], byte[]> polled) {
    List<Item> items = new ArrayList<>(polled.count());
    Map<TopicPartition, OffsetAndMetadata> next = polled.nextOffsets();
    for (TopicPartition partition : polled.partitions()) {
      List<ConsumerRecord<byte[], byte[]>> records = polled.records(partition);
      for (int i = 0; i < records.size(); i++) {
        ConsumerRecord<byte[], byte[]> message = records.get(i);
        OffsetAndMetadata behind = next.get(partition);
        items.add(
            Item.of(
                message,
                i == records.size() - 1 && behind != null
                    ? behind.offset()
                    : message.offset() + 1));
      }
    }
    ask(items);
    handle(new ArrayDeque<>(List.of(items)));
  }

  private void ask(List<Item> items) {
    check.ask(
        items.stream()
            .map(item -> readings.get(item.at()))
            .filter(Objects::nonNull)
            .collect(Collectors.toSet()));
  }

  /** Waits for the answer. What is of a topic that is gone is given up. */
  private boolean isOfTheTopicsRead(List<Item> items) {
    while (!closing.getAsBoolean()) {
      try {
        Set<UUID> gone = check.gone();
        List.copyOf(readings.values()).stream()
            .filter(reading -> gone.contains(reading.partition.topicId()))
            .forEach(reading -> reopen(reading.at));
        return true;
      } catch (InterruptException e) {
        throw e;
      } catch (KafkaException e) {
        log.warn("consumer {}: waits for the broker to say which topics it has", consumer, e);
        hold(backoff.next());
        ask(items);
      }
    }
    return false;
  }

  /** Handles slices until all is committed or given up to be polled again. */
  private void handle(Deque<List<Item>> todo) {
    int attempts = 0;
    while (!todo.isEmpty() && !closing.getAsBoolean()) {
      List<Item> slice = ours(todo.pop());
      if (check.isOpen() && slice.size() < worthOverlapping) {
        if (!isOfTheTopicsRead(slice)) {
          return;
        }
        slice = ours(slice);
      }
      if (slice.isEmpty()) {
        attempts = 0;
        continue;
      }
      try {
        commit(slice);
        attempts = 0;
        backoff.reset();
      } catch (HandlerFailed e) {
        if (closing.getAsBoolean()) {
          // It may have been interrupted, and is left to the next one.
          return;
        }
        if (slice.size() > 1 && !(e.isOutage() && e.place() == 0)) {
          split(slice, e, todo);
          attempts = 0;
        } else if (e.isOutage()) {
          log.warn("consumer {}: waits to handle {}", consumer, where(slice), e.getCause());
          todo.push(slice);
          hold(backoff.next());
          holdWhilePaused();
        } else if (++attempts < settings.attempts()) {
          log.debug("consumer {}: {} is handled again", consumer, where(slice), e);
          todo.push(slice);
          hold(backoff.next());
        } else {
          attempts = 0;
          if (!park(slice.get(0), e)) {
            todo.push(slice);
          }
        }
      } catch (TopicCheck.Unconfirmed e) {
        if (!isOfTheTopicsRead(slice)) {
          return;
        }
        todo.push(slice);
      } catch (Effects.Overtaken | OutcomeUnknown e) {
        log.info("consumer {}: offsets are read again: {}", consumer, e.getMessage());
        reopenAll();
        if (e instanceof OutcomeUnknown) {
          hold(backoff.next());
        }
        return;
      } catch (HoldfastException e) {
        // What this member believes may be what was refused, such as a lane that is there no more.
        log.warn("consumer {}: waits for the database", consumer, e);
        reopenAll();
        hold(backoff.next());
        return;
      }
    }
  }

  /** What has been taken from us meanwhile belongs to another member. */
  private List<Item> ours(List<Item> slice) {
    return slice.stream()
        .filter(
            item -> {
              Reading reading = readings.get(item.at());
              return reading != null
                  && reading.stopped == null
                  && item.message().offset() >= reading.next;
            })
        .toList();
  }

  private void commit(List<Item> slice) {
    long held = slice.stream().filter(this::isHeldBack).count();
    effects.commit(slice, readings, check::confirm);
    slice.forEach(this::advance);
    counters.handled.addAndGet(slice.size() - held);
    counters.parked.addAndGet(held);
  }

  private boolean isHeldBack(Item item) {
    return Objects.requireNonNull(readings.get(item.at())).lanes.contains(item.lane());
  }

  private void advance(Item item) {
    Reading reading = Objects.requireNonNull(readings.get(item.at()));
    reading.next = item.next();
    if (item.leaderEpoch() != null) {
      reading.leaderEpoch = item.leaderEpoch();
    }
  }

  /** So that what cannot be handled comes to stand alone, in order. */
  private static void split(List<Item> slice, HandlerFailed e, Deque<List<Item>> todo) {
    boolean placed = e.place() != HandlerFailed.SOMEWHERE;
    int begin = placed ? e.place() : slice.size() / 2;
    int end = placed ? begin + 1 : slice.size();
    if (end < slice.size()) {
      todo.push(slice.subList(end, slice.size()));
    }
    todo.push(slice.subList(begin, end));
    if (begin > 0) {
      todo.push(slice.subList(0, begin));
    }
  }

  /**
   * Parks a record, or stops its partition when too many are parked.
   *
   * @return whether it is done with
   */
  private boolean park(Item item, HandlerFailed failure) {
    Reading reading = Objects.requireNonNull(readings.get(item.at()));
    try {
      if (parking.count(consumer, settings.maxParked()) >= settings.maxParked()) {
        String reason =
            "%,d records are parked, which is the bound, and offset %,d could not be handled: %s. Repair the handler, release or skip what is parked, and let it go on: holdfast consumer continue %s --topic %s --partition %d"
                .formatted(
                    settings.maxParked(),
                    item.message().offset(),
                    failure.reason(),
                    consumer,
                    item.message().topic(),
                    item.message().partition());
        Position position =
            new Position(reading.partition, reading.next, reading.leaderEpoch, null);
        if (offsets.stop(consumer, position, reason)) {
          log.error("consumer {}: {} is not read any further: {}", consumer, item.at(), reason);
        }
        reopen(item.at());
        return true;
      }
      effects.park(item, reading, failure.reason());
    } catch (Effects.Overtaken | OutcomeUnknown e) {
      log.info("consumer {}: offsets are read again: {}", consumer, e.getMessage());
      reopen(item.at());
      return true;
    } catch (HoldfastException e) {
      log.warn("consumer {}: {} could not be parked yet", consumer, item.at(), e);
      hold(backoff.next());
      return false;
    }
    log.warn(
        "consumer {}: offset {} of {} is parked, with the later records of its key",
        consumer,
        item.message().offset(),
        item.at(),
        failure.getCause());
    reading.lanes.add(item.lane());
    counters.parked.incrementAndGet();
    advance(item);
    return true;
  }

  private String where(List<Item> slice) {
    Item first = slice.get(0);
    return first.at() + " from offset " + first.message().offset();
  }

  private void keepHouse() {
    if (closing.getAsBoolean()) {
      // What is in hand may have been given up, and must not be passed.
      return;
    }
    try {
      pauseOrResume(offsets.pausedBecause(consumer).isPresent());
      for (Position position : offsets.positions(consumer)) {
        Reading reading =
            readings.get(
                new TopicPartition(position.partition().topic(), position.partition().number()));
        if (reading != null
            && !(position.partition().equals(reading.partition)
                && position.next() == reading.next
                && Objects.equals(position.stopped(), reading.stopped))) {
          // An operator has set it, or answered.
          reopen(reading.at);
        }
      }
      for (Reading reading : List.copyOf(readings.values())) {
        if (reading.stopped == null && !paused && readings.containsValue(reading)) {
          keepUp(reading);
        }
      }
    } catch (HoldfastException e) {
      log.debug("consumer {}: housekeeping is left for the next time", consumer, e);
    }
    if (Doorbell.hasPassed(COPY, copied)) {
      copied = Doorbell.nanos();
      copy();
    }
    status.accept(status());
  }

  private void keepUp(Reading reading) {
    try {
      pass(reading);
      replay.of(reading);
    } catch (Effects.Overtaken | OutcomeUnknown e) {
      reopen(reading.at);
    } catch (HoldfastException e) {
      log.warn("consumer {}: what is parked of {} waits for the database", consumer, reading.at, e);
    }
  }

  private void pauseOrResume(boolean wanted) {
    if (wanted != paused) {
      paused = wanted;
      log.info("consumer {}: {}", consumer, paused ? "paused by an operator" : "goes on");
      if (paused) {
        client.pause(client.assignment());
      } else {
        resume();
      }
    }
  }

  /** Behind the last record there may be what no reader sees, such as the mark of a commit. */
  private void pass(Reading reading) {
    try {
      long position = client.position(reading.at, LONGEST_LOOK);
      if (position > reading.next) {
        effects.pass(reading, position);
        reading.next = position;
      }
    } catch (TimeoutException e) {
      log.debug("consumer {}: the broker does not confirm {}", consumer, reading.at, e);
    }
  }

  /** Kafka's own offsets are for tools that look there; nobody reads them here. */
  private void copy() {
    Map<TopicPartition, OffsetAndMetadata> copies = new HashMap<>();
    readings.forEach((at, reading) -> copies.put(at, new OffsetAndMetadata(reading.next)));
    client.commitAsync(
        copies,
        (committed, e) -> {
          if (e != null) {
            log.debug("consumer {}: offsets were not copied to Kafka", consumer, e);
          }
        });
  }

  private List<PartitionStatus> status() {
    Map<TopicPartition, Long> known = ends.answered();
    // For the next time. Asked for, since nothing tells of what is paused or stopped.
    ends = logs.ask(readings.keySet(), OffsetSpec.latest(), HOUSEKEEPING);
    return readings.values().stream()
        .map(
            reading -> {
              Long end = known.get(reading.at);
              return new PartitionStatus(
                  reading.at.topic(),
                  reading.at.partition(),
                  reading.next,
                  end == null ? -1 : Math.max(0, end - reading.next),
                  reading.stopped);
            })
        .toList();
  }
}
