package dev.holdfast.kafka.inbox;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.ConsumerProgress;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads topics, and handles each record once: its effects, what it publishes and the offset behind
 * it are one commit. Several processes that start the same consumer share its partitions. Handlers
 * run on one thread of this; start several for more. Thread-safe.
 *
 * <p>What it needs of Kafka is that it keeps what it acknowledged, and of the producer that it
 * sends each message once ({@code read_committed} is set) or with an id ({@link
 * KafkaInboxSettings#messageIds}).
 */
public final class KafkaInbox implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(KafkaInbox.class);

  private static final Duration LONGEST_CLOSE = Duration.ofSeconds(30);

  /** For one that was interrupted to roll back. */
  private static final Duration LAST_CLOSE = Duration.ofSeconds(5);

  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(30);

  private final Holdfast holdfast;
  private final String consumer;
  private final ClientConfigs configs;
  private final KafkaInboxSettings settings;
  private final Handling handling;
  private final Set<String> topics;
  private final Doorbell closed = new Doorbell();
  private final Thread thread;
  private final Session.Counters counters = new Session.Counters();
  private volatile List<PartitionStatus> status = List.of();
  private volatile boolean closing;
  private volatile @Nullable KafkaConsumer<byte[], byte[]> client;

  private KafkaInbox(
      Holdfast holdfast,
      String consumer,
      ClientConfigs configs,
      KafkaInboxSettings settings,
      Handling handling,
      Set<String> topics) {
    this.holdfast = holdfast;
    this.consumer = consumer;
    this.configs = configs;
    this.settings = settings;
    this.handling = handling;
    this.topics = topics;
    this.thread = new Thread(this::run, "holdfast-consumer-" + consumer);
  }

  /**
   * Starts to read.
   *
   * @param consumer names the consumer and its group, 1 to 200 characters; keep it stable: offsets
   *     are kept under it
   * @param consumerConfig settings of the Kafka consumer, {@code bootstrap.servers} at least.
   *     Holdfast sets the group, deserializers, {@code isolation.level} and what concerns offsets
   *     itself.
   * @throws InvalidConfiguration when a setting cannot be used; nothing was started
   * @throws dev.holdfast.StoreUnavailable when the database cannot be reached; nothing was started
   */
  public static KafkaInbox start(
      Holdfast holdfast,
      String consumer,
      Map<String, ?> consumerConfig,
      KafkaInboxSettings settings,
      Collection<String> topics,
      KafkaHandler handler) {
    return start(
        holdfast, consumer, consumerConfig, settings, topics, Handling.each(holdfast, handler));
  }

  /**
   * As {@link #start}, and what a poll brought is handled by one call, {@code max.poll.records} at
   * most (500 unless set).
   */
  public static KafkaInbox startBatch(
      Holdfast holdfast,
      String consumer,
      Map<String, ?> consumerConfig,
      KafkaInboxSettings settings,
      Collection<String> topics,
      KafkaBatchHandler handler) {
    return start(
        holdfast, consumer, consumerConfig, settings, topics, Handling.together(holdfast, handler));
  }

  private static KafkaInbox start(
      Holdfast holdfast,
      String consumer,
      Map<String, ?> consumerConfig,
      KafkaInboxSettings settings,
      Collection<String> topics,
      Handling handling) {
    if (consumer.isEmpty() || consumer.length() > 200) {
      throw new InvalidConfiguration(
          "The consumer's name has %d characters, and must have 1 to 200. Nothing was started."
              .formatted(consumer.length()));
    }
    if (topics.isEmpty()) {
      throw new InvalidConfiguration(
          "The consumer " + consumer + " is given no topics. Nothing was started.");
    }
    ClientConfigs configs = ClientConfigs.of(consumer, consumerConfig);
    holdfast.store().offsets().register(consumer);
    if (settings.messageIds() != null) {
      holdfast.inbox(consumer, settings.messageIds());
    }
    KafkaInbox inbox =
        new KafkaInbox(
            holdfast, consumer, configs, settings, handling, new LinkedHashSet<>(topics));
    inbox.thread.start();
    return inbox;
  }

  private void run() {
    Backoff backoff =
        new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10), ThreadLocalRandom.current());
    while (!closing) {
      long since = Doorbell.nanos();
      try {
        session();
      } catch (WakeupException | InterruptException e) {
        log.debug("consumer {}: woken", consumer, e);
      } catch (RuntimeException e) {
        log.warn("consumer {}: leaves its group and joins it anew", consumer, e);
      } catch (Error e) {
        // A thread that has ended would leave records waiting, and nobody who says so.
        log.error("consumer {}: leaves its group and joins it anew", consumer, e);
      }
      status = List.of();
      if (Doorbell.hasPassed(Duration.ofMinutes(1), since)) {
        backoff.reset();
      }
      pause(backoff.next());
    }
  }

  private void pause(Duration time) {
    // Left behind by a handler, or by whoever interrupted it: only close() ends this thread.
    boolean interrupted = Thread.interrupted();
    try {
      if (!closing) {
        closed.await(time);
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      log.warn("consumer {}: was interrupted, and goes on unless it is closed", consumer);
    }
  }

  private void session() {
    try (KafkaConsumer<byte[], byte[]> consuming = new KafkaConsumer<>(configs.consumer());
        Admin admin = Admin.create(configs.admin())) {
      client = consuming;
      new Session(
              holdfast,
              consumer,
              settings,
              handling,
              consuming,
              admin,
              () -> closing,
              partitions -> status = partitions,
              counters)
          .run(topics);
    } finally {
      client = null;
    }
  }

  /** The partitions that this process reads, as of about a second ago. */
  public List<PartitionStatus> status() {
    return status;
  }

  /** What it has done since it was started, and what is before it, as of about a second ago. */
  public ConsumerProgress progress() {
    List<PartitionStatus> partitions = status;
    return new ConsumerProgress(
        partitions.size(),
        partitions.stream().mapToLong(partition -> Math.max(0, partition.lag())).sum(),
        counters.handled.get(),
        counters.parked.get());
  }

  /**
   * Pauses the consumer in all processes, within about a second, until it is {@link #resume}d; what
   * is in hand is handled.
   *
   * @param reason for people
   */
  public void pause(String reason) {
    holdfast.store().offsets().pause(consumer, reason);
  }

  /** Ends a pause, in all processes. */
  public void resume() {
    holdfast.store().offsets().pause(consumer, null);
  }

  /**
   * Goes on, in all processes and within about a second, with the records of this time and later.
   * What was handled before is handled again, unless its id is remembered; what is parked stays.
   *
   * @param time {@link Instant#MIN} for all that Kafka has, {@link Instant#MAX} for what comes now
   * @throws KafkaException when the broker does not answer; then nothing was changed for the topics
   *     not asked for yet
   */
  public void seek(Instant time) {
    seek(topics, time);
  }

  /** As {@link #seek(Instant)}, for some of the topics. */
  public void seek(Collection<String> which, Instant time) {
    seek(holdfast.store(), consumer, configs, which, time);
  }

  /**
   * As {@link #seek(Instant)}, from outside.
   *
   * @throws InvalidConfiguration when a setting cannot be used, a topic does not exist, or the
   *     consumer has never read it
   */
  public static void seek(
      Store store,
      String consumer,
      Map<String, ?> consumerConfig,
      Collection<String> which,
      Instant time) {
    seek(store, consumer, ClientConfigs.of(consumer, consumerConfig), which, time);
  }

  private static void seek(
      Store store, String consumer, ClientConfigs configs, Collection<String> which, Instant time) {
    try (Admin admin = Admin.create(configs.admin())) {
      Map<String, TopicDescription> topics = new TopicIds(admin).named(which);
      LogOffsets logs = new LogOffsets(admin);
      for (String name : which) {
        TopicDescription topic = topics.get(name);
        if (topic == null) {
          throw new InvalidConfiguration(
              "The broker does not know the topic " + name + ", so nothing was changed for it.");
        }
        List<TopicPartition> partitions = TopicIds.partitions(topic);
        Map<Integer, Long> starts = new HashMap<>();
        logs.starts(partitions, time, LONGEST_ANSWER)
            .forEach((partition, offset) -> starts.put(partition.partition(), offset));
        if (starts.size() < partitions.size()) {
          throw new TimeoutException(
              "Of the %d partitions of %s %d have answered within %d s, so nothing was changed for it. Try again when each has a leader."
                  .formatted(partitions.size(), name, starts.size(), LONGEST_ANSWER.toSeconds()));
        }
        store.offsets().seek(consumer, name, TopicIds.id(topic), starts);
      }
    }
  }

  /**
   * Finishes the records whose transaction has begun, leaves the group and returns; what was polled
   * behind them is left to the next one.
   */
  @Override
  public void close() {
    closing = true;
    closed.ring();
    KafkaConsumer<byte[], byte[]> running = client;
    if (running != null) {
      running.wakeup();
    }
    try {
      thread.join(LONGEST_CLOSE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (thread.isAlive()) {
      log.warn("consumer {}: a handler has not returned, and is interrupted", consumer);
      thread.interrupt();
      try {
        thread.join(LAST_CLOSE.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
