package dev.holdfast.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Message;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import dev.holdfast.outbox.store.OutboxRecord;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class HoldfastMetersTest {
  private static final RelayStatus HERE =
      new RelayStatus("orders", RelayPhase.LEADING, 42, 1, null);
  private static final ChannelStatus THERE =
      new ChannelStatus(
          "orders",
          ChannelState.RUNNING,
          null,
          List.of("*"),
          "me",
          3,
          7,
          Duration.ofMillis(1500),
          2,
          5);

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final HoldfastMeters meters = new HoldfastMeters(registry);

  private void observe(Function<String, ChannelStatus> database, Duration maxAge) {
    meters.observe(() -> List.of(HERE), database, maxAge);
  }

  private Stream<String> figures() {
    return registry.scrape().lines().filter(line -> !line.startsWith("#"));
  }

  private static OutboxRecord record() {
    return new OutboxRecord(
        1,
        OutboxRecord.Kind.MESSAGE,
        UUID.randomUUID(),
        "orders.placed",
        "k",
        "orders.placed",
        "application/json",
        new byte[0],
        Map.of(),
        "op",
        0);
  }

  @Test
  void everyFigureThatIsAskedForHasItsChannel() {
    observe(channel -> THERE, Duration.ZERO);

    assertThat(figures())
        .containsExactlyInAnyOrder(
            "holdfast_recorded_total 0.0",
            "holdfast_lag_messages{channel=\"orders\"} 7.0",
            "holdfast_lag_seconds{channel=\"orders\"} 1.5",
            "holdfast_parked_keys{channel=\"orders\"} 2.0",
            "holdfast_leader{channel=\"orders\"} 1.0",
            "holdfast_problem{channel=\"orders\"} 0.0",
            "holdfast_parked_total{channel=\"orders\"} 1.0",
            "holdfast_delivered_total{channel=\"orders\"} 42.0");
    assertThat(registry.scrape()).contains("# TYPE holdfast_delivered_total counter\n");
  }

  @Test
  void whatHappensIsCountedWhenItDoes() {
    meters.recorded("op", List.of(Message.of("orders.placed", "k", "{}")));
    meters.sending("orders", List.of(record(), record())).ended(new Delivery.Done());
    meters
        .sending("orders", List.of(record()))
        .ended(new Delivery.Refused(Map.of(1L, "no"), Set.of()));
    meters.sending("orders", List.of(record())).ended(new Delivery.Unavailable("gone"));
    meters.sending("orders", List.of(record())).ended(new Delivery.Fenced());
    meters.phase("orders", RelayPhase.LEADING, RelayPhase.BLOCKED, "gone");

    assertThat(figures())
        .contains(
            "holdfast_recorded_total 1.0",
            "holdfast_batch_messages_count{channel=\"orders\"} 4",
            "holdfast_batch_messages_sum{channel=\"orders\"} 5.0",
            "holdfast_sending_seconds_count{channel=\"orders\",outcome=\"done\"} 1",
            "holdfast_sending_seconds_count{channel=\"orders\",outcome=\"refused\"} 1",
            "holdfast_sending_seconds_count{channel=\"orders\",outcome=\"unavailable\"} 1",
            "holdfast_sending_seconds_count{channel=\"orders\",outcome=\"fenced\"} 1",
            "holdfast_delay_seconds_count{channel=\"orders\"} 2",
            "holdfast_phases_total{channel=\"orders\",phase=\"BLOCKED\"} 1.0");
  }

  @Test
  void whatTheDatabaseDoesNotTellIsNotANumber() {
    boolean[] reachable = {true};
    observe(
        channel -> {
          if (!reachable[0]) {
            throw new StoreUnavailable("gone", new SQLException());
          }
          return THERE;
        },
        Duration.ZERO);
    assertThat(figures()).contains("holdfast_lag_messages{channel=\"orders\"} 7.0");

    reachable[0] = false;

    assertThat(figures())
        .contains(
            "holdfast_lag_messages{channel=\"orders\"} NaN",
            "holdfast_delivered_total{channel=\"orders\"} 42.0");
  }

  @Test
  void theDatabaseIsAskedOnceForAllFigures() {
    int[] asked = {0};
    observe(
        channel -> {
          asked[0]++;
          return THERE;
        },
        Duration.ofHours(1));

    assertThat(figures()).contains("holdfast_lag_messages{channel=\"orders\"} 7.0");
    assertThat(figures()).contains("holdfast_parked_keys{channel=\"orders\"} 2.0");

    assertThat(asked[0]).isEqualTo(1);
  }

  @Test
  void onlyOneScrapeWaitsForTheDatabase() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    observe(
        channel -> {
          asked.countDown();
          try {
            answer.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return THERE;
        },
        Duration.ZERO);
    CompletableFuture<String> waiting = CompletableFuture.supplyAsync(registry::scrape);
    asked.await();

    assertThat(figures()).contains("holdfast_leader{channel=\"orders\"} 1.0");

    answer.countDown();
    assertThat(waiting.get()).contains("holdfast_lag_messages{channel=\"orders\"} 7.0");
  }
}
