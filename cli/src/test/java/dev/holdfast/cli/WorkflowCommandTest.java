package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.Holdfast;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.StartOptions;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowQueue;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** An operator looks at runs and decides, while a process runs them. */
final class WorkflowCommandTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  private final String url = TestDatabases.create();
  private final AtomicBoolean broken = new AtomicBoolean();

  private final Workflow<String, String> workflow =
      Workflow.define(
          "place-order",
          1,
          String.class,
          String.class,
          (flow, input) -> {
            flow.step("reserve", String.class)
                .compensate(
                    (tx, hold) -> {
                      if (broken.get()) {
                        throw new IllegalStateException("the warehouse is closed");
                      }
                    })
                .retryCompensation(dev.holdfast.workflow.Retry.NONE)
                .transact(tx -> "hold");
            String charge =
                flow.step("charge", String.class)
                    .parkUnknown()
                    .call(
                        key -> {
                          if (input.equals("lost")) {
                            throw new IOException("lost");
                          }
                          return "charged";
                        });
            return charge + flow.await("shipped", String.class, BOUND).orElse("");
          });

  @SuppressWarnings("NullAway.Init")
  private Holdfast holdfast;

  @SuppressWarnings("NullAway.Init")
  private Workflows workflows;

  @BeforeEach
  void start() {
    Run.line("schema migrate --database", url).result();
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(url);
    holdfast =
        Holdfast.on(dataSource)
            .workflow(workflow)
            .workflows(WorkflowSettings.DEFAULT.withPollInterval(Duration.ofMillis(50)))
            .workflowQueue(WorkflowQueue.named("orders").withConcurrency(1))
            .start();
    workflows = holdfast.workflows();
  }

  @AfterEach
  void close() {
    holdfast.close();
  }

  private Run run(String... words) {
    String[] all = new String[words.length + 3];
    all[0] = "workflow";
    System.arraycopy(words, 0, all, 1, words.length);
    all[words.length + 1] = "--database";
    all[words.length + 2] = url;
    return Run.of(all);
  }

  private JsonNode json(String... words) {
    String[] all = java.util.Arrays.copyOf(words, words.length + 1);
    all[words.length] = "--json";
    return run(all).json();
  }

  private void awaitStatus(String id, RunStatus status) {
    await().atMost(BOUND).untilAsserted(() -> assertThat(workflows.status(id)).contains(status));
  }

  @Test
  void showsAStuckRunAndResolvesIt() throws Exception {
    workflows.start(workflow, "o-1", "lost");
    awaitStatus("o-1", RunStatus.STUCK);

    assertThat(run("list", "--status", "STUCK").result())
        .contains("o-1", "place-order 1", "stuck", "What became of step charge is not known");
    assertThat(run("show", "o-1").result())
        .contains("holdfast workflow resolve o-1 charge", "intent", "reserve");
    assertThat(Run.of("operation", "o-1", "--database", url).result())
        .contains("by a person", "holdfast workflow show o-1");
    assertThat(run("resolve", "o-1", "charg", "--happened", "\"x\"").error())
        .contains("step charg is not in doubt, charge");
    assertThat(run("resolve", "o-1", "charge", "--happened", "{").error()).contains("is not JSON");
    assertThat(run("resolve", "o-1", "charge").err()).contains("--happened");
    assertThat(workflows.status("o-1")).contains(RunStatus.STUCK);
    run(
            "resolve",
            "o-1",
            "charge",
            "--happened",
            "\"seen \"",
            "--actor",
            "eve",
            "--reason",
            "in the console")
        .result();
    awaitStatus("o-1", RunStatus.PARKED);
    assertThat(run("retry", "o-1").error()).contains("o-1 is not stuck");
    run("signal", "o-1", "shipped", "\"and shipped\"").result();
    assertThat(workflows.result(workflow, "o-1", BOUND)).contains("seen and shipped");

    JsonNode shown = json("show", "o-1");
    assertThat(shown.at("/audit/0/who").asText()).isEqualTo("eve");
    assertThat(shown.at("/audit/0/note").asText()).isEqualTo("in the console");
    assertThat(shown.path("journal").findValuesAsText("kind"))
        .contains("INTENT", "RESUMED", "COMPLETED");
    JsonNode exported = run("export", "o-1").json();
    assertThat(exported.path("input").asText()).isEqualTo("lost");
    assertThat(exported.path("entries").findValuesAsText("kind")).contains("INTENT", "COMPLETED");
    assertThat(run("export", "nobody").error()).contains("There is no run nobody");
    assertThat(run("signal", "o-1", "shipped", "1").error()).contains("has ended");
    assertThat(run("restart", "o-1", "--from", "nowhere").error()).contains("no step nowhere");
    run("restart", "o-1", "--from", "charge").result();
    awaitStatus("o-1", RunStatus.STUCK);
    run("complete", "o-1", "\"by hand\"").result();
    assertThat(workflows.result(workflow, "o-1", BOUND)).contains("by hand");
  }

  @Test
  void cancelsAndSkipsWhatCannotBeUndone() {
    broken.set(true);
    workflows.start(
        workflow,
        "o-2",
        "fine",
        StartOptions.DEFAULT.withAttributes(Map.of("customer", "c-1")).withQueue("orders"));
    workflows.start(workflow, "o-3", "fine", StartOptions.DEFAULT.withQueue("orders"));
    await().atMost(BOUND).until(() -> json("show", "o-2").path("waits_for").size() == 1);

    assertThat(run("queues").result()).contains("orders");
    assertThat(json("queues").at("/queues/0/waiting").asInt()).isOne();
    assertThat(json("queues").at("/queues/0/under_way").asInt()).isOne();
    assertThat(json("list", "--queue", "orders").path("runs").findValuesAsText("id"))
        .containsExactly("o-3", "o-2");
    assertThat(json("list", "--attribute", "customer=c-1").path("runs").findValuesAsText("id"))
        .containsExactly("o-2");
    run("cancel", "o-2", "--reason", "the customer's wish").result();
    awaitStatus("o-2", RunStatus.STUCK);
    assertThat(run("show", "o-2").result()).contains("the warehouse is closed", "undoing");
    assertThat(run("skip-undo", "o-2", "charg").error()).contains("no step charg");
    run("skip-undo", "o-2", "reserve").result();
    awaitStatus("o-2", RunStatus.CANCELLED);
    assertThat(run("cancel", "nobody").error()).contains("There is no run nobody");
    assertThat(run("list", "--limit", "0").error()).contains("--limit is 0");
  }
}
