package dev.holdfast.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import dev.holdfast.outbox.store.OutboxRecord;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The dashboard in {@code docs/grafana} asks for what is there. */
final class DashboardTest {
  private static final Path DASHBOARD = Path.of("../docs/grafana/holdfast.json");
  private static final Pattern METRIC = Pattern.compile("holdfast_[a-z_]+");

  private static Set<String> asked() throws IOException {
    JsonNode panels = new ObjectMapper().readTree(DASHBOARD.toFile()).path("panels");
    return panels.findValues("expr").stream()
        .flatMap(expr -> METRIC.matcher(expr.asText()).results())
        .map(result -> result.group())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> there() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    HoldfastMeters meters = new HoldfastMeters(registry);
    ChannelStatus status =
        new ChannelStatus(
            "c", ChannelState.RUNNING, null, List.of("*"), "me", 1, 0, Duration.ZERO, 0, 0);
    meters.observe(
        () -> List.of(new RelayStatus("c", RelayPhase.LEADING, 0, 0, null)),
        channel -> status,
        Duration.ZERO);
    OutboxRecord message =
        new OutboxRecord(
            1,
            OutboxRecord.Kind.MESSAGE,
            UUID.randomUUID(),
            "t",
            "k",
            "t",
            "application/json",
            null,
            Map.of(),
            null,
            0);
    meters.sending("c", List.of(message)).ended(new Delivery.Done());
    meters.phase("c", RelayPhase.STANDBY, RelayPhase.TAKING_OVER, null);
    return registry
        .scrape()
        .lines()
        .filter(line -> !line.startsWith("#"))
        .map(line -> line.replaceAll("[{ ].*", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void itAsksForMetersThatThereAre() throws IOException {
    assertThat(asked()).hasSizeGreaterThan(10);
    assertThat(there()).containsAll(asked());
  }

  @Test
  void everyPanelAsksForSomethingAndSaysWhatItShows() throws IOException {
    JsonNode panels = new ObjectMapper().readTree(DASHBOARD.toFile()).path("panels");
    assertThat(panels)
        .isNotEmpty()
        .allSatisfy(
            panel -> {
              assertThat(panel.path("targets")).isNotEmpty();
              assertThat(panel.path("description").asText()).isNotEmpty();
            });
  }
}
