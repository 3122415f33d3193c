package dev.holdfast.cli.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.StoreUnavailable;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MetricsTest {
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

  private static Stream<String> figures(Metrics metrics) {
    return metrics.text().lines().filter(line -> !line.startsWith("#"));
  }

  @Test
  void everyFigureHasItsChannel() {
    Metrics metrics = new Metrics(List.of("orders"), channel -> HERE, channel -> THERE);

    assertThat(figures(metrics))
        .containsExactlyInAnyOrder(
            "holdfast_lag_messages{channel=\"orders\"} 7.0",
            "holdfast_lag_seconds{channel=\"orders\"} 1.5",
            "holdfast_parked_keys{channel=\"orders\"} 2.0",
            "holdfast_leader{channel=\"orders\"} 1.0",
            "holdfast_delivered_total{channel=\"orders\"} 42.0");
    assertThat(metrics.text()).contains("# TYPE holdfast_delivered_total counter\n");
  }

  @Test
  void whatTheDatabaseDoesNotTellIsNotANumber() {
    boolean[] reachable = {true};
    Metrics metrics =
        new Metrics(
            List.of("orders"),
            channel -> HERE,
            channel -> {
              if (!reachable[0]) {
                throw new StoreUnavailable("gone", new SQLException());
              }
              return THERE;
            });
    assertThat(figures(metrics)).contains("holdfast_lag_messages{channel=\"orders\"} 7.0");

    reachable[0] = false;

    assertThat(figures(metrics))
        .contains(
            "holdfast_lag_messages{channel=\"orders\"} NaN",
            "holdfast_delivered_total{channel=\"orders\"} 42.0");
  }

  @Test
  void onlyOneScrapeWaitsForTheDatabase() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    Metrics metrics =
        new Metrics(
            List.of("orders"),
            channel -> HERE,
            channel -> {
              asked.countDown();
              try {
                answer.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return THERE;
            });
    CompletableFuture<String> waiting = CompletableFuture.supplyAsync(metrics::text);
    asked.await();

    assertThat(figures(metrics)).contains("holdfast_leader{channel=\"orders\"} 1.0");

    answer.countDown();
    assertThat(waiting.get()).contains("holdfast_lag_messages{channel=\"orders\"} 7.0");
  }
}
