package dev.holdfast.cli.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsTest {
  @Test
  void everyFigureHasItsChannel() {
    String text =
        Metrics.text(
            List.of(new RelayStatus("orders", RelayPhase.LEADING, 42, 1, null)),
            List.of(
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
                    5)));

    assertThat(text.lines().filter(line -> !line.startsWith("#")))
        .containsExactly(
            "holdfast_lag_messages{channel=\"orders\"} 7",
            "holdfast_lag_seconds{channel=\"orders\"} 1.500",
            "holdfast_parked_keys{channel=\"orders\"} 2",
            "holdfast_leader{channel=\"orders\"} 1",
            "holdfast_delivered_total{channel=\"orders\"} 42");
    assertThat(text).contains("# TYPE holdfast_delivered_total counter\n");
  }
}
