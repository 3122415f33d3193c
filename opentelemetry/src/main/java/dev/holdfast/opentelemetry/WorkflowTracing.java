package dev.holdfast.opentelemetry;

import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowListener;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Spans of workflows, as a listener for {@code Holdfast.Builder.workflowListener}. Thread-safe.
 *
 * <ul>
 *   <li><b>{@code start WORKFLOW}</b>, of kind producer: where a run is started, below the span
 *       that is current there. Its context becomes the run's attribute {@code traceparent} (<a
 *       href="https://www.w3.org/TR/trace-context/">W3C Trace Context</a>), unless the run is given
 *       one; a child has its parent's. It says nothing of a commit.
 *   <li><b>{@code run WORKFLOW}</b>, of kind consumer, below the first: from the run's being taken
 *       up by a process until it waits, ends, or is left to another. It is the current span of the
 *       function, and so of the calls that its steps make, but for those in branches of {@code
 *       parallel}.
 *   <li><b>{@code step NAME}</b> and <b>{@code undo NAME}</b>, below that: from a step's beginning
 *       to its end. A step that was begun in another process, or has waited, begins before the span
 *       above it. {@value #MAX_SPANS} of an execution at most.
 * </ul>
 *
 * <p>So a run is one trace, however long it waits and whoever goes on with it. A crash loses the
 * spans that were under way, and nothing else: who takes the run over finds its context with it.
 */
public final class WorkflowTracing implements WorkflowListener {
  /** The most steps of one execution that become spans. */
  public static final int MAX_SPANS = 1_000;

  private static final String TRACEPARENT = "traceparent";
  private static final TextMapPropagator W3C = W3CTraceContextPropagator.getInstance();

  private static final AttributeKey<String> WORKFLOW =
      AttributeKey.stringKey("holdfast.workflow.name");
  private static final AttributeKey<Long> VERSION =
      AttributeKey.longKey("holdfast.workflow.version");
  private static final AttributeKey<String> RUN = AttributeKey.stringKey("holdfast.workflow.run");
  private static final AttributeKey<String> OPERATION =
      AttributeKey.stringKey("holdfast.operation");
  private static final AttributeKey<Boolean> TAKEN_OVER =
      AttributeKey.booleanKey("holdfast.workflow.taken_over");
  private static final AttributeKey<String> STATUS =
      AttributeKey.stringKey("holdfast.workflow.status");
  private static final AttributeKey<String> STEP = AttributeKey.stringKey("holdfast.workflow.step");
  private static final AttributeKey<String> OUTCOME =
      AttributeKey.stringKey("holdfast.workflow.outcome");
  private static final AttributeKey<Long> ATTEMPTS =
      AttributeKey.longKey("holdfast.workflow.attempts");
  private static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");

  /** Which branch, and how often the name came before: names of spans have few values. */
  private static final Pattern NUMBERS = Pattern.compile("(?<=\\[)\\d+(?=]/)|#\\d+(?=$|/)");

  private static final TextMapGetter<Map<String, String>> ATTRIBUTES =
      new TextMapGetter<>() {
        @Override
        public @Nullable String get(@Nullable Map<String, String> attributes, String name) {
          return attributes == null ? null : attributes.get(name);
        }
      };

  private final Tracer tracer;
  private final InstantSource clock = InstantSource.system();

  /**
   * @param openTelemetry what makes and exports the spans
   */
  public WorkflowTracing(OpenTelemetry openTelemetry) {
    this.tracer = openTelemetry.getTracer("dev.holdfast");
  }

  @Override
  public Map<String, String> starting(
      String id, Workflow<?, ?> workflow, Map<String, String> attributes) {
    if (attributes.containsKey(TRACEPARENT)) {
      return attributes;
    }
    Span span =
        tracer
            .spanBuilder("start " + workflow.name())
            .setSpanKind(SpanKind.PRODUCER)
            .setAttribute(WORKFLOW, workflow.name())
            .setAttribute(VERSION, (long) workflow.version())
            .setAttribute(RUN, id)
            .startSpan();
    try {
      Map<String, String> withContext = new HashMap<>(attributes);
      W3C.inject(
          Context.current().with(span),
          withContext,
          (carrier, name, value) -> {
            // A state may be longer than an attribute is to be; it is no part of the identity.
            if (carrier != null && value.length() <= 400) {
              carrier.put(name, value);
            }
          });
      return withContext;
    } finally {
      span.end();
    }
  }

  @Override
  public Executing executing(Run run) {
    Span span =
        tracer
            .spanBuilder("run " + run.name())
            .setParent(W3C.extract(Context.root(), run.attributes(), ATTRIBUTES))
            .setSpanKind(SpanKind.CONSUMER)
            .setAttribute(WORKFLOW, run.name())
            .setAttribute(VERSION, (long) run.version())
            .setAttribute(RUN, run.id())
            .setAttribute(OPERATION, run.operationId())
            .setAttribute(TAKEN_OVER, run.isTakenOver())
            .startSpan();
    return new Here(span);
  }

  private final class Here implements Executing {
    private final Span span;
    private final Scope scope;
    private final AtomicInteger spans = new AtomicInteger();

    /** On the thread that leaves the scope again, in {@link #left}. */
    @SuppressWarnings("MustBeClosedChecker")
    Here(Span span) {
      this.span = span;
      this.scope = span.makeCurrent();
    }

    @Override
    public void stepEnded(StepEnd end) {
      if (!span.isRecording() || spans.incrementAndGet() > MAX_SPANS) {
        return;
      }
      boolean isUndone = end.outcome() == Outcome.UNDONE;
      Instant ended = clock.instant().minus(end.ago());
      SpanBuilder builder =
          tracer
              .spanBuilder(
                  (isUndone ? "undo " : "step ") + NUMBERS.matcher(end.step()).replaceAll(""))
              .setParent(Context.root().with(span))
              .setStartTimestamp(ended.minus(end.took()))
              .setAttribute(STEP, end.step())
              .setAttribute(OUTCOME, lower(end.outcome()))
              .setAttribute(ATTEMPTS, (long) end.attempts());
      Span step = builder.startSpan();
      switch (end.outcome()) {
        case REJECTED, UNKNOWN -> fail(step, lower(end.outcome()), end.reason());
        case RESULT, UNDONE -> {}
      }
      step.end(ended);
    }

    @Override
    public void unwinding(String reason) {
      span.addEvent("unwinding");
      fail(span, "given_up", reason);
    }

    @Override
    public void left(RunStatus status, @Nullable String reason) {
      span.setAttribute(STATUS, status == RunStatus.RUNNING ? "left" : lower(status));
      if (status == RunStatus.STUCK) {
        fail(span, "stuck", reason);
      }
      scope.close();
      span.end();
    }
  }

  private static void fail(Span span, String type, @Nullable String reason) {
    span.setAttribute(ERROR_TYPE, type).setStatus(StatusCode.ERROR, reason == null ? "" : reason);
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
