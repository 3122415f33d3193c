package dev.holdfast.micrometer;

import dev.holdfast.Holdfast;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowListener;
import dev.holdfast.workflow.store.WorkflowStore.Backlog;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Workflows' meters. Thread-safe. Made for a registry, given to {@link
 * Holdfast.Builder#workflowListener} as a listener, and told by {@link #observe} what to observe:
 *
 * <table>
 *   <caption>Meters; the first four have the tags {@code workflow} and {@code version}</caption>
 *   <tr><th>name</th><th>is</th></tr>
 *   <tr><td>{@code holdfast.workflow.step}</td><td>time from a step's beginning to its end, in
 *       whatever process that was, by {@code step} and {@code outcome}: result, rejected, unknown,
 *       undone</td></tr>
 *   <tr><td>{@code holdfast.workflow.attempts}</td><td>attempts of steps that have ended, by {@code
 *       step}</td></tr>
 *   <tr><td>{@code holdfast.workflow.execution}</td><td>time that a run was executed here at a
 *       stretch; the {@code outcome} is completed, failed, cancelled, parked (it waits), stuck, or
 *       left (for another process)</td></tr>
 *   <tr><td>{@code holdfast.workflow.takeovers}</td><td>runs taken over here from a process that is
 *       gone</td></tr>
 *   <tr><td>{@code holdfast.workflow.executing}</td><td>runs that are executed here now</td></tr>
 *   <tr><td>{@code holdfast.workflow.running}, {@code holdfast.workflow.stuck}</td><td>runs that are
 *       executed anywhere, and that wait for a person, as the database says; counted up to
 *       10,000</td></tr>
 *   <tr><td>{@code holdfast.workflow.overdue}</td><td>for how long the run has been due that waits
 *       longest for being taken up, of the workflows that this process runs</td></tr>
 * </table>
 *
 * <p>Steps are named without the number of their branch and of their repetition. Of more than
 * {@value #STEPS_AT_MOST} names the later ones count as {@code other}.
 */
public final class WorkflowMeters implements WorkflowListener {
  /** How many steps have meters of their own. */
  public static final int STEPS_AT_MOST = 500;

  /** Which branch, and how often the name came before. */
  private static final Pattern NUMBERS = Pattern.compile("(?<=\\[)\\d+(?=]/)|#\\d+(?=$|/)");

  private final MeterRegistry registry;
  private final AtomicInteger executing = new AtomicInteger();
  private final Set<String> steps = ConcurrentHashMap.newKeySet();

  /**
   * @param registry where the meters are registered
   */
  public WorkflowMeters(MeterRegistry registry) {
    this.registry = registry;
    Gauge.builder("holdfast.workflow.executing", executing, AtomicInteger::get)
        .description("Runs that are executed in this process.")
        .strongReference(true)
        .register(registry);
  }

  /**
   * Registers what only the database knows: asked for when the meters are read, at most once in
   * {@code maxAge}, by one reader at a time. NaN while the database does not answer.
   */
  public void observe(Holdfast holdfast, Duration maxAge) {
    observe(() -> holdfast.workflows().backlog(), maxAge);
  }

  /** As {@link #observe(Holdfast, Duration)}, with figures that are five seconds old at most. */
  public void observe(Holdfast holdfast) {
    observe(holdfast, Duration.ofSeconds(5));
  }

  void observe(Supplier<Backlog> database, Duration maxAge) {
    DatabaseFigures<Backlog> figures =
        new DatabaseFigures<>(
            List.of("all"),
            all -> database.get(),
            maxAge,
            registry.config().clock()::monotonicTime);
    gauge(figures, "running", "Runs that are executed somewhere.", "runs", Backlog::running);
    gauge(figures, "stuck", "Runs that wait for a person.", "runs", Backlog::stuck);
    gauge(
        figures,
        "overdue",
        "For how long the run has been due that waits longest for being taken up.",
        "seconds",
        backlog -> backlog.overdue().toMillis() / 1000.0);
  }

  private void gauge(
      DatabaseFigures<Backlog> figures,
      String name,
      String description,
      String unit,
      ToDoubleFunction<Backlog> figure) {
    Gauge.builder("holdfast.workflow." + name, figures.of("all", figure))
        .description(description)
        .baseUnit(unit)
        .strongReference(true)
        .register(registry);
  }

  @Override
  public Map<String, String> starting(
      String id, Workflow<?, ?> workflow, Map<String, String> attributes) {
    return attributes;
  }

  @Override
  public Executing executing(Run run) {
    Tags tags = Tags.of("workflow", run.name(), "version", Integer.toString(run.version()));
    executing.incrementAndGet();
    if (run.isTakenOver()) {
      Counter.builder("holdfast.workflow.takeovers")
          .tags(tags)
          .description("Runs taken over from a process that is gone.")
          .register(registry)
          .increment();
    }
    return new Here(run.name(), tags, Timer.start(registry));
  }

  private final class Here implements Executing {
    private final String workflow;
    private final Tags tags;
    private final Timer.Sample began;

    Here(String workflow, Tags tags, Timer.Sample began) {
      this.workflow = workflow;
      this.tags = tags;
      this.began = began;
    }

    @Override
    public void stepEnded(StepEnd end) {
      Tags ofTheStep = tags.and("step", bounded(workflow, end.step()));
      Timer.builder("holdfast.workflow.step")
          .tags(ofTheStep.and("outcome", lower(end.outcome())))
          .description("From a step's beginning to its end.")
          .register(registry)
          .record(end.took());
      Counter.builder("holdfast.workflow.attempts")
          .tags(ofTheStep)
          .description("Attempts of steps that have ended.")
          .register(registry)
          .increment(end.attempts());
    }

    @Override
    public void unwinding(String reason) {}

    @Override
    public void left(RunStatus status, @Nullable String reason) {
      executing.decrementAndGet();
      began.stop(
          Timer.builder("holdfast.workflow.execution")
              .tags(tags.and("outcome", status == RunStatus.RUNNING ? "left" : lower(status)))
              .description("Time that a run was executed here at a stretch.")
              .register(registry));
    }
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(java.util.Locale.ROOT);
  }

  /** Names that a function makes up must not become meters without end. */
  private String bounded(String workflow, String step) {
    String name = NUMBERS.matcher(step).replaceAll("");
    String known = workflow + "/" + name;
    if (steps.contains(known) || (steps.size() < STEPS_AT_MOST && steps.add(known))) {
      return name;
    }
    return steps.contains(known) ? name : "other";
  }
}
