package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.workflow.Rejected;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Step;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.Workflows;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What people decide about runs that are stuck, and what they get wrong. */
final class WorkflowDecisionsTest extends WorkflowProcesses {
  private final AtomicInteger broken = new AtomicInteger(1);
  private final AtomicInteger calls = new AtomicInteger();

  @Test
  void aCallThatThrewAnErrorIsInDoubtForWhoeverRetries() {
    isNotCalledAgainWhenItsKeyIsNotKeptAnyMore(
        key -> {
          if (broken.get() > 0) {
            throw new NoClassDefFoundError("what reads the answer");
          }
          return new Receipt("charged");
        });
  }

  @Test
  void aCallWhoseResultCannotBeRecordedIsInDoubtForWhoeverRetries() {
    isNotCalledAgainWhenItsKeyIsNotKeptAnyMore(
        key -> new Receipt("x".repeat(1 + broken.get() * 2_000_000)));
  }

  private void isNotCalledAgainWhenItsKeyIsNotKeptAnyMore(Step.Call<Receipt> charge) {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) ->
                flow.step("charge", Receipt.class)
                    .keyKeptFor(Duration.ofHours(24))
                    .call(
                        key -> {
                          calls.incrementAndGet();
                          return charge.run(key);
                        }));
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    broken.set(0);
    try (StoreClock clock = StoreClock.of(pool, schema)) {
      clock.advance(Duration.ofDays(2));
      assertThat(workflows.retry("o-1", "ops", "mended")).isTrue();
      Awaitility.await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(workflows.reason("o-1").orElse(""))
                      .contains("What became of step charge is not known"));
    }
    assertThat(calls).hasValue(1);
  }

  @Test
  void whatWasRejectedIsNotDoneBesidesWhatWasDoneInstead() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.pivot();
              try {
                return flow.step("card", Receipt.class)
                    .keyKeptFor(Duration.ofHours(24))
                    .call(
                        key -> {
                          if (broken.get() > 0) {
                            throw new Rejected("declined");
                          }
                          return new Receipt("card");
                        });
              } catch (StepFailed e) {
                return flow.step("transfer", Receipt.class)
                    .keyKeptFor(Duration.ofHours(24))
                    .call(key -> new Receipt("x".repeat(1 + broken.get() * 2_000_000)));
              }
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    broken.set(0);
    assertThat(workflows.retry("o-1", "ops", "mended")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("x"));
  }
}
