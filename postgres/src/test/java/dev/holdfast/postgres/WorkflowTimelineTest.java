package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.outbox.store.OperationEvent;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.StartOptions;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.Workflows;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What an operation's timeline tells of its workflow. */
final class WorkflowTimelineTest extends WorkflowProcesses {

  private List<OperationEvent> timeline() {
    return PostgresStore.open(pool, schema).operations().of("order-4711", 100);
  }

  @Test
  void tellsItsStepsInOrderAndWhoOwesTheRest() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              insert(flow, "reserve");
              String charge =
                  flow.step("charge", String.class)
                      .parkUnknown()
                      .call(
                          key -> {
                            throw new IOException("lost");
                          });
              return new Receipt(charge);
            });
    Workflows workflows = process(workflow);
    workflows.start(
        workflow, "o-1", new Order("o-1", 1), StartOptions.DEFAULT.withOperationId("order-4711"));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);

    assertThat(timeline()).extracting(OperationEvent::what).contains("result reserve");
    assertThat(timeline().stream().filter(OperationEvent::isOwed))
        .singleElement()
        .satisfies(
            owed -> {
              assertThat(owed.what()).isEqualTo("run o-1");
              assertThat(owed.owedBy()).isEqualTo("a person");
              assertThat(owed.detail()).contains("What became of step charge is not known");
            });

    workflows.resolveHappened("o-1", "charge", "seen", "ops", "in the console");
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("seen"));
    assertThat(timeline()).noneMatch(OperationEvent::isOwed);
    assertThat(timeline())
        .extracting(OperationEvent::what)
        .containsSubsequence("result reserve", "intent charge", "result charge", "completed");
  }
}
