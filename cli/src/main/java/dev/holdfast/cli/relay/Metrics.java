package dev.holdfast.cli.relay;

import dev.holdfast.HoldfastException;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.ChannelStatus;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * The channels' figures, in Prometheus's text form. What only the database knows is asked for at
 * each scrape, and is NaN while the database does not answer. Thread-safe.
 */
final class Metrics {
  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Function<String, ChannelStatus> database;
  private final Iterable<String> channels;
  private final Map<String, ChannelStatus> seen = new ConcurrentHashMap<>();
  private final ReentrantLock asking = new ReentrantLock();

  /**
   * @param here what this process knows of a channel
   * @param database what the database says of it
   */
  Metrics(
      Iterable<String> channels,
      Function<String, RelayStatus> here,
      Function<String, ChannelStatus> database) {
    this.channels = channels;
    this.database = database;
    for (String channel : channels) {
      gauge(
          channel,
          Gauge.builder("holdfast.lag.messages", seen(channel, ChannelStatus::lagMessages))
              .description(
                  "Messages not yet delivered, counted up to " + ChannelStatus.LAG_BOUND + "."));
      gauge(
          channel,
          Gauge.builder("holdfast.lag", seen(channel, status -> status.lag().toMillis() / 1000.0))
              .baseUnit("seconds")
              .description("Age of the oldest message not yet delivered."));
      gauge(
          channel,
          Gauge.builder("holdfast.parked.keys", seen(channel, ChannelStatus::parkedLanes))
              .description("Keys that are held back."));
      gauge(
          channel,
          Gauge.builder(
                  "holdfast.leader",
                  () -> here.apply(channel).phase() == RelayPhase.LEADING ? 1 : 0)
              .description("1 when this process leads the channel."));
      FunctionCounter.builder("holdfast.delivered", here, h -> h.apply(channel).delivered())
          .tag("channel", channel)
          .description("Messages delivered by this process.")
          .register(registry);
    }
  }

  private void gauge(String channel, Gauge.Builder<?> gauge) {
    gauge.tag("channel", channel).strongReference(true).register(registry);
  }

  private Supplier<Number> seen(String channel, ToDoubleFunction<ChannelStatus> figure) {
    return () -> {
      ChannelStatus status = seen.get(channel);
      return status == null ? Double.NaN : figure.applyAsDouble(status);
    };
  }

  String text() {
    // A database that does not answer must not take all of the server's threads: who comes
    // meanwhile gets what was seen last.
    if (asking.tryLock()) {
      try {
        ask();
        return registry.scrape();
      } finally {
        asking.unlock();
      }
    }
    return registry.scrape();
  }

  private void ask() {
    try {
      for (String channel : channels) {
        seen.put(channel, database.apply(channel));
      }
    } catch (HoldfastException e) {
      // What this process knows by itself is still worth having.
      seen.clear();
    }
  }
}
