package dev.holdfast.micrometer;

import dev.holdfast.Holdfast;
import dev.holdfast.inbox.ConsumerProgress;
import dev.holdfast.inbox.ListenerStatus;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.OffsetStore;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * The meters of what receives messages: of consumers of Kafka, and of the listeners of JMS and
 * RabbitMQ. Thread-safe. Made for a registry, and told by {@link #observe(Holdfast, String,
 * Supplier)} and {@link #observe(String, Supplier)} what to observe:
 *
 * <table>
 *   <caption>Meters; all have the tag {@code consumer}</caption>
 *   <tr><th>name</th><th>is</th></tr>
 *   <tr><td>{@code holdfast.consumer.handled}</td><td>records that this process has handled</td></tr>
 *   <tr><td>{@code holdfast.consumer.parkings}</td><td>records that this process has parked</td></tr>
 *   <tr><td>{@code holdfast.consumer.partitions}</td><td>partitions that this process reads</td></tr>
 *   <tr><td>{@code holdfast.consumer.lag}</td><td>records of these that are not handled, as far as
 *       the broker has said</td></tr>
 *   <tr><td>{@code holdfast.consumer.parked}</td><td>records that are held back; counted up to
 *       10,000</td></tr>
 *   <tr><td>{@code holdfast.consumer.stopped}</td><td>partitions that wait for an operator</td></tr>
 *   <tr><td>{@code holdfast.consumer.paused}</td><td>1 when an operator has paused the consumer</td>
 *       </tr>
 *   <tr><td>{@code holdfast.listener.connected}</td><td>connections to the broker that are up in
 *       this process</td></tr>
 *   <tr><td>{@code holdfast.listener.handled}, {@code holdfast.listener.repeated}</td><td>messages
 *       that this process has handled, and that it had handled before</td></tr>
 *   <tr><td>{@code holdfast.listener.failed}</td><td>attempts that have failed here</td></tr>
 *   <tr><td>{@code holdfast.listener.given.up}</td><td>messages that this process has moved to a
 *       dead-letter destination, or rejected</td></tr>
 *   <tr><td>{@code holdfast.listener.parkings}, {@code holdfast.listener.replayed}</td><td>messages
 *       that this process has parked, and handled again</td></tr>
 *   <tr><td>{@code holdfast.listener.full}</td><td>1 when a message waits here since no more may be
 *       parked</td></tr>
 * </table>
 *
 * <p>Parked, stopped and paused are what the database says, wherever the consumer runs; NaN while
 * it does not answer.
 */
public final class ConsumerMeters {
  /** How far records are counted that are parked. */
  public static final long PARKED_AT_MOST = 10_000;

  private final MeterRegistry registry;
  private final Map<String, List<Supplier<ConsumerProgress>>> consumers = new ConcurrentHashMap<>();
  private final Map<String, List<Supplier<ListenerStatus>>> listeners = new ConcurrentHashMap<>();

  /**
   * @param registry where the meters are registered
   */
  public ConsumerMeters(MeterRegistry registry) {
    this.registry = registry;
  }

  /** What the database says of a consumer. */
  record Held(long parked, long stopped, boolean paused) {
    static Held of(OffsetStore offsets, ConsumerParking parking, String consumer) {
      return new Held(
          parking.count(consumer, PARKED_AT_MOST),
          offsets.positions(consumer).stream().filter(each -> each.stopped() != null).count(),
          offsets.pausedBecause(consumer).isPresent());
    }
  }

  /**
   * Registers the meters of a consumer of Kafka. What only the database knows is asked for when the
   * meters are read, at most once in five seconds, by one reader at a time. Called again with the
   * same name, for each of several that run in this process, it adds them up.
   *
   * @param progress such as {@code kafkaInbox::progress}; asked whenever the meters are read
   */
  public void observe(Holdfast holdfast, String consumer, Supplier<ConsumerProgress> progress) {
    observe(
        name -> Held.of(holdfast.store().offsets(), holdfast.store().consumerParking(), name),
        consumer,
        progress,
        Duration.ofSeconds(5));
  }

  void observe(
      Function<String, Held> database,
      String consumer,
      Supplier<ConsumerProgress> progress,
      Duration maxAge) {
    List<Supplier<ConsumerProgress>> all = added(consumers, consumer, progress);
    if (all.size() > 1) {
      return;
    }
    DatabaseFigures<Held> figures =
        new DatabaseFigures<>(
            List.of(consumer), database, maxAge, registry.config().clock()::monotonicTime);
    count("consumer.handled", consumer, "Records handled.", all, ConsumerProgress::handled);
    count("consumer.parkings", consumer, "Records parked.", all, ConsumerProgress::parked);
    gauge(
        "consumer.partitions",
        consumer,
        "Partitions that this process reads.",
        () -> sum(all, ConsumerProgress::partitions));
    gauge(
        "consumer.lag",
        consumer,
        "Records of these partitions that are not handled.",
        () -> sum(all, ConsumerProgress::lag));
    held("parked", consumer, "Records that are held back.", figures, Held::parked);
    held("stopped", consumer, "Partitions that wait for an operator.", figures, Held::stopped);
    held(
        "paused",
        consumer,
        "1 when an operator has paused the consumer.",
        figures,
        held -> held.paused() ? 1 : 0);
  }

  /**
   * Registers the meters of a listener of JMS or RabbitMQ. Called again with the same name, it adds
   * them up.
   *
   * @param consumer under which its inbox remembers ids
   * @param status such as {@code jmsInbox::status}; asked whenever the meters are read
   */
  public void observe(String consumer, Supplier<ListenerStatus> status) {
    List<Supplier<ListenerStatus>> all = added(listeners, consumer, status);
    if (all.size() > 1) {
      return;
    }
    gauge(
        "listener.connected",
        consumer,
        "Connections to the broker that are up.",
        () -> sum(all, ListenerStatus::connected));
    count("listener.handled", consumer, "Messages handled.", all, ListenerStatus::handled);
    count(
        "listener.repeated",
        consumer,
        "Messages that had been handled before.",
        all,
        ListenerStatus::repeated);
    count("listener.failed", consumer, "Attempts that failed.", all, ListenerStatus::failed);
    count(
        "listener.given.up",
        consumer,
        "Messages that nobody tries again by itself.",
        all,
        ListenerStatus::givenUp);
    count("listener.parkings", consumer, "Messages parked.", all, ListenerStatus::parked);
    count(
        "listener.replayed",
        consumer,
        "Messages handled that had been parked.",
        all,
        ListenerStatus::replayed);
    gauge(
        "listener.full",
        consumer,
        "1 when a message waits since no more may be parked.",
        () -> all.stream().anyMatch(each -> each.get().full()) ? 1 : 0);
  }

  private static <T> List<Supplier<T>> added(
      Map<String, List<Supplier<T>>> observed, String consumer, Supplier<T> one) {
    List<Supplier<T>> all =
        observed.computeIfAbsent(consumer, name -> new CopyOnWriteArrayList<>());
    all.add(one);
    return all;
  }

  private static <T> double sum(List<Supplier<T>> all, ToLongFunction<T> figure) {
    return all.stream().mapToLong(each -> figure.applyAsLong(each.get())).sum();
  }

  private <T> void count(
      String name,
      String consumer,
      String description,
      List<Supplier<T>> all,
      ToLongFunction<T> figure) {
    // What it is asked of is held weakly, and the registry is there as long as the meter.
    FunctionCounter.builder("holdfast." + name, registry, ignored -> sum(all, figure))
        .tag("consumer", consumer)
        .description(description)
        .register(registry);
  }

  private void held(
      String name,
      String consumer,
      String description,
      DatabaseFigures<Held> figures,
      ToDoubleFunction<Held> figure) {
    gauge("consumer." + name, consumer, description, figures.of(consumer, figure));
  }

  private void gauge(String name, String consumer, String description, Supplier<Number> value) {
    Gauge.builder("holdfast." + name, value)
        .tag("consumer", consumer)
        .description(description)
        .strongReference(true)
        .register(registry);
  }
}
