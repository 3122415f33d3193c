package dev.holdfast.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowListener.Executing;
import dev.holdfast.workflow.WorkflowListener.Outcome;
import dev.holdfast.workflow.WorkflowListener.Run;
import dev.holdfast.workflow.WorkflowListener.StepEnd;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What workflows do, in meters. */
final class WorkflowMetersTest {
  private static final Duration BOUND = Duration.ofSeconds(30);

  private final MeterRegistry registry = new SimpleMeterRegistry();

  private Timer step(String step, String outcome) {
    return registry
        .get("holdfast.workflow.step")
        .tags("workflow", "place-order", "version", "1", "step", step, "outcome", outcome)
        .timer();
  }

  private double gauge(String name) {
    return registry.get("holdfast.workflow." + name).gauge().value();
  }

  private double attempts(String step) {
    return registry.get("holdfast.workflow.attempts").tag("step", step).counter().count();
  }

  @Test
  void runsAndTheirStepsShowInTheMeters() throws Exception {
    Map<String, Integer> calls = new ConcurrentHashMap<>();
    Workflow<String, String> workflow =
        Workflow.define(
            "place-order",
            1,
            String.class,
            String.class,
            (flow, order) -> {
              flow.step("hold").compensate(tx -> {}).transact(tx -> {});
              flow.step("charge")
                  .keyKeptFor(Duration.ofDays(1))
                  .retry(Retry.times(5).withWaits(Duration.ofMillis(5), Duration.ofSeconds(1)))
                  .call(
                      key -> {
                        if (calls.merge(flow.id(), 1, Integer::sum) < 3) {
                          throw new IllegalStateException("no reply");
                        }
                      });
              flow.parallel(
                  "mail",
                  List.of(1, 2),
                  (branch, item) -> branch.step("send", Integer.class).compute(() -> item));
              String answer = flow.await("go", String.class, Duration.ofDays(1)).orElseThrow();
              if (answer.equals("no")) {
                throw new IllegalStateException("refused");
              }
              flow.pivot();
              if (answer.equals("stop")) {
                throw new IllegalStateException("stopped");
              }
              return answer;
            });
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    try (PostgresServer postgres = PostgresServer.start()) {
      dataSource.setUrl(postgres.jdbcUrl());
      // snippet:workflow-meters
      WorkflowMeters meters = new WorkflowMeters(registry);
      Holdfast holdfast =
          Holdfast.on(dataSource).workflow(workflow).workflowListener(meters).start();
      meters.observe(holdfast);
      // end
      try (holdfast) {
        holdfast.workflows().start(workflow, "o-1", "o-1");
        await()
            .atMost(BOUND)
            // It is parked as well before it has begun, where there was no room at once.
            .until(
                () ->
                    registry.find("holdfast.workflow.step").tag("step", "mail[]/send").timer()
                            != null
                        && holdfast.workflows().status("o-1").orElseThrow() == RunStatus.PARKED);
        assertThat(step("hold", "result").count()).isEqualTo(1);
        assertThat(step("charge", "result").count()).isEqualTo(1);
        assertThat(attempts("charge")).isEqualTo(3);
        assertThat(step("mail[]/send", "result").count()).isEqualTo(2);

        for (String answer : List.of("no", "yes", "stop")) {
          holdfast.workflows().start(workflow, answer, answer);
          holdfast.workflows().signal(answer, "go", answer);
        }
        await().atMost(BOUND).until(() -> count("failed") == 1 && count("completed") == 1);
        await().atMost(BOUND).until(() -> count("stuck") == 1);
        assertThat(step("hold", "undone").count()).isEqualTo(1);
        assertThat(step("go", "result").count()).isEqualTo(3);
        await().atMost(BOUND).until(() -> gauge("executing") == 0);
        MeterRegistry fresh = new SimpleMeterRegistry();
        new WorkflowMeters(fresh).observe(holdfast, Duration.ZERO);
        assertThat(fresh.get("holdfast.workflow.stuck").gauge().value()).isEqualTo(1);
        assertThat(fresh.get("holdfast.workflow.running").gauge().value()).isZero();
        assertThat(fresh.get("holdfast.workflow.overdue").gauge().value()).isZero();

        holdfast.workflows().stop();
        makeOverdue(dataSource);
        MeterRegistry others = new SimpleMeterRegistry();
        new WorkflowMeters(others)
            .observe(
                () -> holdfast.store().workflows().backlog(List.of("place-order/1")),
                Duration.ZERO);
        assertThat(others.get("holdfast.workflow.overdue").gauge().value()).isGreaterThan(50);
      }
    }
  }

  /** One that nobody takes up, since nobody runs it any more. */
  private static void makeOverdue(PGSimpleDataSource dataSource) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          update holdfast.workflow_state set status = 'PARKED', executor = null, running_since = null,
            due_at = now() - interval '1 minute', definition = 'place-order/1', held = false
          where run = (select run from holdfast.workflow where id = 'o-1')
          """);
    }
  }

  private double count(String outcome) {
    Timer timer = registry.find("holdfast.workflow.execution").tag("outcome", outcome).timer();
    return timer == null ? 0 : timer.count();
  }

  @Test
  void namesThatAFunctionMakesUpDoNotBecomeMetersWithoutEnd() {
    WorkflowMeters meters = new WorkflowMeters(registry);
    Executing executing = meters.executing(new Run("o-1", "place-order", 1, "o-1", Map.of(), true));
    for (int i = 0; i < 2 * WorkflowMeters.STEPS_AT_MOST; i++) {
      executing.stepEnded(
          new StepEnd("item-" + i, Outcome.RESULT, 1, Duration.ZERO, Duration.ZERO, null));
      executing.stepEnded(
          new StepEnd("each#" + i, Outcome.RESULT, 1, Duration.ZERO, Duration.ZERO, null));
    }
    assertThat(registry.get("holdfast.workflow.step").timers())
        .hasSize(WorkflowMeters.STEPS_AT_MOST + 1);
    assertThat(step("each", "result").count()).isEqualTo(2 * WorkflowMeters.STEPS_AT_MOST);
    assertThat(step("other", "result").count()).isEqualTo(WorkflowMeters.STEPS_AT_MOST + 1);
    assertThat(registry.get("holdfast.workflow.takeovers").counter().count()).isEqualTo(1);
    executing.left(RunStatus.RUNNING, null);
    assertThat(count("left")).isEqualTo(1);
  }

  @Test
  void aDatabaseThatDoesNotAnswerHasNoFigures() {
    new WorkflowMeters(registry)
        .observe(
            () -> {
              throw new StoreUnavailable("down", new SQLException());
            },
            Duration.ZERO);
    assertThat(gauge("stuck")).isNaN();
  }
}
