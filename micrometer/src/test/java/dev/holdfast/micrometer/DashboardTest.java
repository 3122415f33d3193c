package dev.holdfast.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.inbox.ConsumerProgress;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.projection.store.ProjectionStore.Version;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.WorkflowListener.Executing;
import dev.holdfast.workflow.WorkflowListener.Outcome;
import dev.holdfast.workflow.WorkflowListener.Run;
import dev.holdfast.workflow.WorkflowListener.StepEnd;
import dev.holdfast.workflow.store.WorkflowStore.Backlog;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  /** One of each meter. */
  private static PrometheusMeterRegistry registry() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    ofTheOutbox(registry);
    ofConsumers(registry);
    ofProjections(registry);
    ofWorkflows(registry);
    new ReconcileMeters(registry, "pair");
    return registry;
  }

  private static void ofConsumers(MeterRegistry registry) {
    ConsumerMeters meters = new ConsumerMeters(registry);
    meters.observe(
        consumer -> new ConsumerMeters.Held(0, 0, false),
        "shipping",
        () -> ConsumerProgress.NONE,
        Duration.ZERO);
    meters.observe("billing", () -> ConsumerMetersTest.listener(0, 0, 0, 0, 0));
  }

  private static void ofProjections(MeterRegistry registry) {
    ProjectionMeters meters = new ProjectionMeters(registry);
    Version version = new Version("orders", 1);
    meters.observe(of -> Optional.empty(), List.of(version), Duration.ZERO);
    meters.takenUp(version, 0);
    meters.applied(version, 0, 1, Duration.ZERO);
    meters.parked(version, 0, "k", 1, "why");
  }

  private static void ofWorkflows(MeterRegistry registry) {
    WorkflowMeters meters = new WorkflowMeters(registry);
    meters.observe(() -> new Backlog(0, 0, Duration.ZERO), Duration.ZERO);
    Executing executing = meters.executing(new Run("o-1", "place-order", 1, "o-1", Map.of(), true));
    executing.stepEnded(
        new StepEnd("charge", Outcome.RESULT, 1, Duration.ZERO, Duration.ZERO, null));
    executing.left(RunStatus.COMPLETED, null);
  }

  private static void ofTheOutbox(MeterRegistry registry) {
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
  }

  private static Set<String> there() {
    return registry()
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

  /** Under whatever unit and suffix Prometheus has them. */
  private static boolean isAskedFor(String meter, Set<String> asked) {
    Pattern names =
        Pattern.compile(
            Pattern.quote(meter.replace('.', '_'))
                + "(_(seconds|messages|events|keys|runs))?(_(total|sum|count|bucket))?");
    return asked.stream().anyMatch(name -> names.matcher(name).matches());
  }

  @Test
  void itShowsEveryMeter() throws IOException {
    Set<String> asked = asked();
    assertThat(registry().getMeters())
        .extracting(meter -> meter.getId().getName())
        .hasSizeGreaterThan(40)
        .allMatch(meter -> isAskedFor(meter, asked));
    assertThat(isAskedFor("holdfast.consumer", asked)).isFalse();
  }

  @Test
  void everyPanelAsksForSomethingAndSaysWhatItShows() throws IOException {
    List<JsonNode> panels = new ArrayList<>();
    new ObjectMapper().readTree(DASHBOARD.toFile()).path("panels").forEach(panels::add);
    panels.removeIf(panel -> panel.path("type").asText().equals("row"));
    assertThat(panels)
        .isNotEmpty()
        .allSatisfy(
            panel -> {
              assertThat(panel.path("targets")).isNotEmpty();
              assertThat(panel.path("description").asText()).isNotEmpty();
            });
  }
}
