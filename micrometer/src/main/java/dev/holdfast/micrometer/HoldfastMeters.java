package dev.holdfast.micrometer;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.OutboxListener;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.ChannelStatus;
import dev.holdfast.outbox.store.OutboxRecord;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The outbox's meters. Thread-safe. Made for a registry, given to {@link Holdfast.Builder#listener}
 * as a listener, and told by {@link #observe} what to observe:
 *
 * <table>
 *   <caption>Meters; all but the first have the tag {@code channel}</caption>
 *   <tr><th>name</th><th>is</th></tr>
 *   <tr><td>{@code holdfast.recorded}</td><td>messages written by this process into transactions,
 *       also into those that are rolled back later</td></tr>
 *   <tr><td>{@code holdfast.delivered}</td><td>messages acknowledged by the target</td></tr>
 *   <tr><td>{@code holdfast.parked}</td><td>messages held back by this process</td></tr>
 *   <tr><td>{@code holdfast.sending}</td><td>time that a batch took; the tag {@code outcome} is
 *       done, refused, unavailable or fenced</td></tr>
 *   <tr><td>{@code holdfast.batch}</td><td>messages in a batch</td></tr>
 *   <tr><td>{@code holdfast.delay}</td><td>time from recording, by the database's clock, to
 *       acknowledgment, by this machine's</td></tr>
 *   <tr><td>{@code holdfast.phases}</td><td>how often the relay here entered a {@code phase}</td></tr>
 *   <tr><td>{@code holdfast.leader}</td><td>1 when this process leads</td></tr>
 *   <tr><td>{@code holdfast.problem}</td><td>1 when something keeps the relay here from working</td>
 *       </tr>
 *   <tr><td>{@code holdfast.lag}, {@code holdfast.lag.messages}, {@code holdfast.parked.keys}</td>
 *       <td>of the channel, wherever it is led, as the database says: age of the oldest message not
 *       delivered, their number, keys held back; NaN while the database does not answer</td></tr>
 * </table>
 */
public final class HoldfastMeters implements OutboxListener {
  private static final Duration[] DELAYS = {
    Duration.ofMillis(5),
    Duration.ofMillis(10),
    Duration.ofMillis(25),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(250),
    Duration.ofMillis(500),
    Duration.ofSeconds(1),
    Duration.ofSeconds(5),
    Duration.ofSeconds(30),
    Duration.ofMinutes(5)
  };

  private final MeterRegistry registry;
  private final Counter recorded;
  private final Map<String, Flow> flows = new ConcurrentHashMap<>();

  /** What is measured of a channel's batches. */
  private record Flow(DistributionSummary batch, Timer delay) {}

  /**
   * @param registry where the meters are registered
   */
  public HoldfastMeters(MeterRegistry registry) {
    this.registry = registry;
    this.recorded =
        Counter.builder("holdfast.recorded")
            .description("Messages written into transactions by this process.")
            .register(registry);
  }

  /**
   * Registers what is asked for rather than told: the figures of the channels configured there.
   * What only the database knows is asked for when the meters are read, at most once in {@code
   * maxAge}, by one reader at a time.
   */
  public void observe(Holdfast holdfast, Duration maxAge) {
    observe(holdfast::status, channel -> holdfast.store().channels().status(channel), maxAge);
  }

  /** As {@link #observe(Holdfast, Duration)}, with figures that are five seconds old at most. */
  public void observe(Holdfast holdfast) {
    observe(holdfast, Duration.ofSeconds(5));
  }

  void observe(
      Supplier<List<RelayStatus>> here, Function<String, ChannelStatus> database, Duration maxAge) {
    List<String> channels = here.get().stream().map(RelayStatus::channel).toList();
    DatabaseFigures<ChannelStatus> figures =
        new DatabaseFigures<>(channels, database, maxAge, registry.config().clock()::monotonicTime);
    for (String channel : channels) {
      Function<ToDoubleFunction<RelayStatus>, Double> own =
          figure ->
              here.get().stream()
                  .filter(status -> status.channel().equals(channel))
                  .mapToDouble(figure)
                  .sum();
      count(
          "holdfast.delivered",
          channel,
          "Messages delivered by this process.",
          () -> own.apply(RelayStatus::delivered));
      count(
          "holdfast.parked",
          channel,
          "Messages held back by this process.",
          () -> own.apply(RelayStatus::parked));
      gauge(
          "holdfast.leader",
          channel,
          "1 when this process leads the channel.",
          () -> own.apply(status -> status.phase() == RelayPhase.LEADING ? 1 : 0));
      gauge(
          "holdfast.problem",
          channel,
          "1 when something keeps the relay in this process from working.",
          () -> own.apply(status -> status.problem() == null ? 0 : 1));
      gauge(
          "holdfast.lag.messages",
          channel,
          "Messages not yet delivered, counted up to " + ChannelStatus.LAG_BOUND + ".",
          figures.of(channel, ChannelStatus::lagMessages));
      Gauge.builder("holdfast.lag", figures.of(channel, status -> seconds(status.lag())))
          .tag("channel", channel)
          .baseUnit("seconds")
          .description("Age of the oldest message not yet delivered.")
          .strongReference(true)
          .register(registry);
      gauge(
          "holdfast.parked.keys",
          channel,
          "Keys that are held back.",
          figures.of(channel, ChannelStatus::parkedLanes));
    }
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }

  private void count(String name, String channel, String description, Supplier<Double> value) {
    // What it is asked of is held weakly, so it is something that lives as long as the meter.
    FunctionCounter.builder(name, registry, ignored -> value.get())
        .tag("channel", channel)
        .description(description)
        .register(registry);
  }

  private void gauge(String name, String channel, String description, Supplier<Number> value) {
    Gauge.builder(name, value)
        .tag("channel", channel)
        .description(description)
        .strongReference(true)
        .register(registry);
  }

  @Override
  public Message publishing(Message message) {
    return message;
  }

  @Override
  public void recorded(String operationId, List<Message> messages) {
    recorded.increment(messages.size());
  }

  @Override
  public Sending sending(String channel, List<OutboxRecord> messages) {
    Timer.Sample started = Timer.start(registry);
    flow(channel).batch().record(messages.size());
    long[] recordedAt = messages.stream().mapToLong(OutboxRecord::recordedAtMillis).toArray();
    return delivery -> {
      started.stop(sendingTimer(channel, delivery));
      if (delivery instanceof Delivery.Done) {
        long now = registry.config().clock().wallTime();
        Timer delay = flow(channel).delay();
        for (long millis : recordedAt) {
          // The two clocks may differ; a negative time would not be counted at all.
          delay.record(Math.max(0, now - millis), TimeUnit.MILLISECONDS);
        }
      }
    };
  }

  private Timer sendingTimer(String channel, Delivery delivery) {
    String outcome;
    if (delivery instanceof Delivery.Done) {
      outcome = "done";
    } else if (delivery instanceof Delivery.Refused) {
      outcome = "refused";
    } else if (delivery instanceof Delivery.Fenced) {
      outcome = "fenced";
    } else {
      outcome = "unavailable";
    }
    return Timer.builder("holdfast.sending")
        .tag("channel", channel)
        .tag("outcome", outcome)
        .description("Time that a batch took, until the target answered.")
        .register(registry);
  }

  private Flow flow(String channel) {
    return flows.computeIfAbsent(
        channel,
        name ->
            new Flow(
                DistributionSummary.builder("holdfast.batch")
                    .tag("channel", name)
                    .baseUnit("messages")
                    .description("Messages in a batch.")
                    .register(registry),
                Timer.builder("holdfast.delay")
                    .tag("channel", name)
                    .description("From recording to the target's acknowledgment.")
                    .serviceLevelObjectives(DELAYS)
                    .register(registry)));
  }

  @Override
  public void phase(String channel, RelayPhase from, RelayPhase to, @Nullable String problem) {
    Counter.builder("holdfast.phases")
        .tag("channel", channel)
        .tag("phase", to.name())
        .description("How often the relay in this process entered a phase.")
        .register(registry)
        .increment();
  }
}
