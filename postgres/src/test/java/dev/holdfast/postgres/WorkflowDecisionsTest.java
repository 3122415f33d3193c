package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.workflow.Rejected;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Step;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import java.io.IOException;
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

  /** Its process died in the call, and whoever took it over could not come so far. */
  @Test
  void aCallThatANodeDiedInIsInDoubtThoughTheRunWasStuckBeforeIt() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              String price = flow.step("price", String.class).compute(() -> "1");
              if (broken.get() > 0) {
                throw new NoClassDefFoundError("deployed by halves");
              }
              return flow.step("charge", Receipt.class)
                  .keyKeptFor(Duration.ofHours(24))
                  .call(key -> new Receipt(price + calls.incrementAndGet()));
            });
    process().start(workflow, "o-1", new Order("o-1", 1));
    execute(
        """
        update %s.workflow_state
        set status = 'RUNNING', executor = 999, running_since = clock_timestamp(), turn = 1,
            due_at = null
        """
            .formatted(schema));
    Workflows workflows = process(workflow);
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(workflows.retry("o-1", "ops", "too early")).isTrue();
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(workflows.reason("o-1").orElse("")).contains("deployed by halves");
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
    assertThat(calls).hasValue(0);
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

  @Test
  void aResultThatCannotBeReadIsGivenAnew() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) ->
                flow.step("charge", Receipt.class)
                    .parkUnknown()
                    .call(
                        key -> {
                          calls.incrementAndGet();
                          throw new IOException("lost");
                        }));
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(workflows.resolveHappened("o-1", "charge", "ch-1", "ops", "seen")).isTrue();
    Awaitility.await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(workflows.reason("o-1").orElse(""))
                    .contains("cannot be read as a Receipt"));

    Receipt receipt = new Receipt("ch-1");
    assertThat(workflows.resolveHappened("o-1", "charge", receipt, "ops", "as it has to be"))
        .isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(receipt);
    assertThat(calls).hasValue(1);
  }

  /** It is behind its pivot, and its last step fails until that is mended. */
  private Workflow<Order, Receipt> confirming() {
    return define(
        (flow, order) -> {
          flow.pivot();
          flow.step("confirm")
              .transact(
                  tx -> {
                    if (broken.get() > 0) {
                      throw new IllegalStateException("broken");
                    }
                  });
          return new Receipt("confirmed");
        });
  }

  @Test
  void aStepThatThereIsNotIsNotResolved() throws Exception {
    Workflow<Order, Receipt> workflow = confirming();
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThatThrownBy(() -> workflows.resolveHappened("o-1", "confrim", true, "ops", "by hand"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("no step confrim");
    broken.set(0);
    assertThat(workflows.retry("o-1", "ops", "mended")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("confirmed"));
  }

  @Test
  void whatCannotBeUndoneOfACallGivenUpAsUnknownIsSkipped() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              try {
                flow.step("card")
                    .compensateByKey(
                        key -> {
                          throw new IOException("the account is closed");
                        })
                    .retryCompensation(Retry.NONE)
                    .call(
                        key -> {
                          throw new IOException("lost");
                        });
              } catch (StepFailed e) {
                insert(flow, "invoice");
              }
              return new Receipt("invoice");
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(workflows.reason("o-1").orElseThrow()).contains("skip this step");
    assertThatThrownBy(() -> workflows.skipUndo("o-1", "invoice", "ops", "a mistake"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("not being undone");
    assertThat(workflows.skipUndo("o-1", "card", "ops", "refunded by hand")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("invoice"));
  }

  @Test
  void whatTwoPeopleSayAtOnceIsTakenFromTheFirst() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.pivot();
              try {
                flow.step("card")
                    .parkUnknown()
                    .call(
                        key -> {
                          throw new IOException("lost");
                        });
              } catch (StepFailed e) {
                insert(flow, "invoice");
              }
              flow.step("confirm")
                  .transact(
                      tx -> {
                        if (broken.get() > 0) {
                          throw new IllegalStateException("broken");
                        }
                      });
              return new Receipt("confirmed");
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    // Between what the second one has read and what she writes.
    SqlHook meanwhile =
        new SqlHook(
            "where w.id = ? and s.status = 'STUCK'",
            () -> {
              workflows.resolveRejected("o-1", "card", "not on the statement", "anna");
              Awaitility.await()
                  .atMost(SOON)
                  .until(() -> workflows.reason("o-1").orElse("").contains("broken"));
            });
    Workflows second = process(meanwhile.around(pool), WorkflowSettings.DEFAULT);
    assertThat(second.resolveHappened("o-1", "card", true, "berta", "on the statement")).isFalse();
    assertThat(meanwhile.ran()).isTrue();
    broken.set(0);
    assertThat(workflows.retry("o-1", "anna", "mended")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("confirmed"));
    assertThat(entries()).containsExactly("invoice");
  }
}
