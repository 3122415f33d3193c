package dev.holdfast.micrometer;

import dev.holdfast.Holdfast;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.Projection;
import dev.holdfast.projection.ProjectionListener;
import dev.holdfast.projection.store.ProjectionStatus;
import dev.holdfast.projection.store.ProjectionStore;
import dev.holdfast.projection.store.ProjectionStore.Version;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * The meters of what follows the event log: projections, and channels, whose name is {@code
 * channel/NAME} here. Thread-safe. Made for a registry, given as a listener to {@link
 * dev.holdfast.projection.Projections#start} and {@link
 * dev.holdfast.projection.EventChannels#start}, and told by {@link #observe} what to observe:
 *
 * <table>
 *   <caption>Meters; all have the tags {@code projection} and {@code version}</caption>
 *   <tr><th>name</th><th>is</th></tr>
 *   <tr><td>{@code holdfast.projection.events}</td><td>events applied, or sent, by this
 *       process</td></tr>
 *   <tr><td>{@code holdfast.projection.batch}</td><td>the time that a batch took: from the first
 *       handler's call to the commit, or from the sending to the answer</td></tr>
 *   <tr><td>{@code holdfast.projection.parkings}</td><td>keys that this process has parked</td></tr>
 *   <tr><td>{@code holdfast.projection.takeovers}</td><td>how often this process has come to a slot
 *       at which another was before, or nobody</td></tr>
 *   <tr><td>{@code holdfast.projection.behind}</td><td>for how many seconds the first event has been
 *       recorded that is not passed; 0 when there is none</td></tr>
 *   <tr><td>{@code holdfast.projection.behind.events}</td><td>how many these are; counted up to
 *       10,000</td></tr>
 *   <tr><td>{@code holdfast.projection.parked}</td><td>keys that wait</td></tr>
 * </table>
 *
 * <p>The last three are what the database says, wherever it is carried out; NaN while it does not
 * answer.
 */
public final class ProjectionMeters implements ProjectionListener {
  private final MeterRegistry registry;

  /**
   * @param registry where the meters are registered
   */
  public ProjectionMeters(MeterRegistry registry) {
    this.registry = registry;
  }

  /**
   * Registers what only the database knows of projections: asked for when the meters are read, at
   * most once in five seconds, by one reader at a time.
   */
  public void observe(Holdfast holdfast, Projection... projections) {
    observe(
        holdfast.store().projections(),
        List.of(projections).stream()
            .map(each -> new Version(each.name(), each.version()))
            .toList());
  }

  /** As {@link #observe(Holdfast, Projection...)}, of channels. */
  public void observe(Holdfast holdfast, EventChannel... channels) {
    observe(
        holdfast.store().projections(),
        List.of(channels).stream().map(each -> new Version("channel/" + each.name(), 1)).toList());
  }

  private void observe(ProjectionStore store, List<Version> versions) {
    observe(store::status, versions, Duration.ofSeconds(5));
  }

  void observe(
      Function<Version, Optional<ProjectionStatus>> database,
      List<Version> versions,
      Duration maxAge) {
    Map<String, Version> all = new LinkedHashMap<>();
    versions.forEach(version -> all.put(version.toString(), version));
    DatabaseFigures<Optional<ProjectionStatus>> figures =
        new DatabaseFigures<>(
            List.copyOf(all.keySet()),
            name -> database.apply(all.get(name)),
            maxAge,
            registry.config().clock()::monotonicTime);
    for (Version version : all.values()) {
      gauge(
          figures,
          version,
          "behind",
          "For how long the first event has been recorded that is not passed.",
          "seconds",
          status -> status.behind().toMillis() / 1000.0);
      gauge(
          figures,
          version,
          "behind.events",
          "Events that are not passed.",
          "events",
          ProjectionStatus::behindEvents);
      gauge(figures, version, "parked", "Keys that wait.", "keys", ProjectionStatus::parkedKeys);
    }
  }

  private void gauge(
      DatabaseFigures<Optional<ProjectionStatus>> figures,
      Version version,
      String name,
      String description,
      String unit,
      ToDoubleFunction<ProjectionStatus> figure) {
    Gauge.builder(
            "holdfast.projection." + name,
            figures.of(
                version.toString(), status -> status.map(figure::applyAsDouble).orElse(Double.NaN)))
        .tags(tags(version))
        .description(description)
        .baseUnit(unit)
        .strongReference(true)
        .register(registry);
  }

  private static Tags tags(Version version) {
    return Tags.of("projection", version.name(), "version", Integer.toString(version.version()));
  }

  private Counter counter(String name, String description, Version version) {
    return Counter.builder("holdfast.projection." + name)
        .tags(tags(version))
        .description(description)
        .register(registry);
  }

  @Override
  public void takenUp(Version of, int slot) {
    counter("takeovers", "How often this process has come to a slot.", of).increment();
  }

  @Override
  public void applied(Version of, int slot, int events, Duration took) {
    counter("events", "Events applied, or sent, by this process.", of).increment(events);
    Timer.builder("holdfast.projection.batch")
        .tags(tags(of))
        .description("From the first handler's call to the commit, or from sending to the answer.")
        .register(registry)
        .record(took);
  }

  @Override
  public void parked(Version of, int slot, String key, long position, String reason) {
    counter("parkings", "Keys that this process has parked.", of).increment();
  }
}
