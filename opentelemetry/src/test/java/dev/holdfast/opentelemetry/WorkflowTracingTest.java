package dev.holdfast.opentelemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.workflow.Rejected;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.testing.junit5.OpenTelemetryExtension;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;

/** The spans of runs, wherever they are executed. */
final class WorkflowTracingTest {
  private static final Duration BOUND = Duration.ofSeconds(30);

  /** A process that stands still for longer is taken over, and then a run has two spans. */
  private static final Duration LEASE = Duration.ofSeconds(20);

  private static final AttributeKey<Boolean> TAKEN_OVER =
      AttributeKey.booleanKey("holdfast.workflow.taken_over");
  private static final AttributeKey<String> STATUS =
      AttributeKey.stringKey("holdfast.workflow.status");
  private static final AttributeKey<Long> ATTEMPTS =
      AttributeKey.longKey("holdfast.workflow.attempts");

  @RegisterExtension static final OpenTelemetryExtension OTEL = OpenTelemetryExtension.create();

  private static final PostgresServer POSTGRES = PostgresServer.start();

  @AfterAll
  static void end() {
    POSTGRES.close();
  }

  private static Holdfast start(String schema, Workflow<?, ?>... workflows) {
    return start(POSTGRES.jdbcUrl(), schema, LEASE, workflows);
  }

  private static Holdfast start(
      String url, String schema, Duration lease, Workflow<?, ?>... workflows) {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(url);
    // snippet:workflow-tracing
    Holdfast.Builder traced =
        Holdfast.on(dataSource).workflowListener(new WorkflowTracing(OTEL.getOpenTelemetry()));
    // end
    traced
        .schema(schema)
        .workflows(
            WorkflowSettings.DEFAULT.withLease(lease).withPollInterval(Duration.ofMillis(50)));
    for (Workflow<?, ?> each : workflows) {
      traced.workflow(each);
    }
    return traced.start();
  }

  private static <I> String startWithin(Holdfast holdfast, Workflow<I, ?> workflow, I input) {
    Span request = OTEL.getOpenTelemetry().getTracer("test").spanBuilder("request").startSpan();
    try (Scope scope = request.makeCurrent()) {
      holdfast.workflows().start(workflow, "o-1", input);
    } finally {
      request.end();
    }
    return request.getSpanContext().getTraceId();
  }

  private static List<SpanData> spans(String trace) {
    return OTEL.getSpans().stream().filter(span -> span.getTraceId().equals(trace)).toList();
  }

  private static SpanData one(String trace, String name) {
    return spans(trace).stream()
        .filter(span -> span.getName().equals(name))
        .reduce(
            (one, other) -> {
              throw new AssertionError("Two spans " + name);
            })
        .orElseThrow(() -> new AssertionError("No span " + name + " in " + spans(trace)));
  }

  @Test
  void aRunItsStepsAndItsChildrenAreInTheTraceOfWhoStartsIt() throws Exception {
    AtomicReference<String> within = new AtomicReference<>();
    Workflow<String, String> child =
        Workflow.define(
            "ship",
            1,
            String.class,
            String.class,
            (flow, order) -> flow.step("pack", String.class).transact(tx -> "box"));
    Workflow<String, String> parent =
        Workflow.define(
            "place-order",
            1,
            String.class,
            String.class,
            (flow, order) -> {
              flow.step("hold").transact(tx -> {});
              flow.step("charge")
                  .keyKeptFor(Duration.ofDays(1))
                  .call(key -> within.set(Span.current().getSpanContext().getSpanId()));
              flow.parallel(
                  "notify",
                  List.of(1, 2),
                  (branch, item) -> branch.step("mail", Integer.class).compute(() -> item));
              return flow.child("ship", child, order);
            });
    try (Holdfast holdfast = start("traced", parent, child)) {
      String trace = startWithin(holdfast, parent, "o-1");
      assertThat(holdfast.workflows().result(parent, "o-1", BOUND)).contains("box");
      await()
          .atMost(BOUND)
          .untilAsserted(
              () ->
                  assertThat(spans(trace).stream().filter(span -> status(span).equals("completed")))
                      .hasSize(2));
      SpanData start = one(trace, "start place-order");
      List<SpanData> runs =
          spans(trace).stream().filter(span -> span.getName().equals("run place-order")).toList();
      // It waits for its child, and is taken up again then.
      assertThat(runs)
          .hasSize(2)
          .allSatisfy(run -> assertThat(run.getParentSpanId()).isEqualTo(start.getSpanId()));
      SpanData first =
          runs.stream().filter(run -> status(run).equals("parked")).findAny().orElseThrow();
      assertThat(one(trace, "step hold").getParentSpanId()).isEqualTo(first.getSpanId());
      assertThat(within.get()).isEqualTo(first.getSpanId());
      assertThat(spans(trace).stream().filter(span -> span.getName().equals("step notify[]/mail")))
          .hasSize(2);
      assertThat(one(trace, "step pack").getParentSpanId())
          .isEqualTo(one(trace, "run ship").getSpanId());
      assertThat(one(trace, "step ship").getParentSpanId()).isNotEqualTo(first.getSpanId());
    }
  }

  private static String status(SpanData span) {
    String status = span.getAttributes().get(STATUS);
    return status == null ? "" : status;
  }

  @Test
  void whatIsUndoneIsShownWithItsReason() {
    Workflow<String, String> workflow =
        Workflow.define(
            "place-order",
            1,
            String.class,
            String.class,
            (flow, order) -> {
              flow.step("hold").compensate(tx -> {}).transact(tx -> {});
              flow.step("charge")
                  .parkUnknown()
                  .call(
                      key -> {
                        throw new Rejected("no money");
                      });
              return "never";
            });
    try (Holdfast holdfast = start("undone", workflow)) {
      String trace = startWithin(holdfast, workflow, "o-1");
      assertThatThrownBy(() -> holdfast.workflows().result(workflow, "o-1", BOUND))
          .isInstanceOf(RunFailed.class);
      await().atMost(BOUND).untilAsserted(() -> one(trace, "run place-order"));
      assertThat(one(trace, "undo hold").getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
      assertThat(one(trace, "step charge").getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
      assertThat(one(trace, "run place-order"))
          .satisfies(
              run -> {
                assertThat(run.getStatus().getDescription()).contains("no money");
                assertThat(status(run)).isEqualTo("failed");
              });
    }
  }

  @Test
  void aRunThatIsTakenOverGoesOnInItsTrace() throws Exception {
    CountDownLatch paused = new CountDownLatch(1);
    CountDownLatch wakeUp = new CountDownLatch(1);
    AtomicBoolean again = new AtomicBoolean();
    Workflow<String, String> workflow =
        Workflow.define(
            "place-order",
            1,
            String.class,
            String.class,
            (flow, order) -> {
              flow.step("hold").transact(tx -> {});
              return flow.step("charge", String.class)
                  .keyKeptFor(Duration.ofDays(1))
                  .call(
                      key -> {
                        if (again.compareAndSet(false, true)) {
                          paused.countDown();
                          wakeUp.await(60, TimeUnit.SECONDS);
                        }
                        return "charged";
                      });
            });
    try (TcpRelay network = TcpRelay.to("127.0.0.1", POSTGRES.port())) {
      String there =
          "jdbc:postgresql://127.0.0.1:"
              + network.port()
              + "/postgres?user=postgres&sslmode=disable&gssEncMode=disable&socketTimeout=2";
      Holdfast owner = start(there, "taken", Duration.ofSeconds(1), workflow);
      String trace = startWithin(owner, workflow, "o-1");
      assertThat(paused.await(20, TimeUnit.SECONDS)).isTrue();
      network.cut();
      try (Holdfast other = start("taken", workflow)) {
        assertThat(other.workflows().result(workflow, "o-1", BOUND)).contains("charged");
        await()
            .atMost(BOUND)
            .until(() -> spans(trace).stream().anyMatch(span -> status(span).equals("completed")));
      }
      SpanData second =
          spans(trace).stream()
              .filter(span -> status(span).equals("completed"))
              .findAny()
              .orElseThrow();
      assertThat(second.getAttributes().get(TAKEN_OVER)).isTrue();
      assertThat(second.getParentSpanId()).isEqualTo(one(trace, "start place-order").getSpanId());
      SpanData charge = one(trace, "step charge");
      assertThat(charge.getParentSpanId()).isEqualTo(second.getSpanId());
      assertThat(charge.getAttributes().get(ATTEMPTS)).isEqualTo(2);
      // Told by the process that was there, and not again by the one that came.
      assertThat(one(trace, "step hold").getParentSpanId()).isNotEqualTo(second.getSpanId());
      network.restore();
      wakeUp.countDown();
      owner.close();
      assertThat(spans(trace).stream().filter(span -> status(span).equals("left"))).hasSize(1);
    }
  }
}
