package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Seen;
import dev.holdfast.workflow.TooManySignals;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.Workflows;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Functions that never end, clocks that jump, and services that do not even answer what was. */
final class WorkflowBadInputTest extends WorkflowProcesses {

  @Test
  void moreSignalsThanARunHasReceivedAreRefused() throws Exception {
    Workflow<Order, Receipt> workflow =
        define((flow, order) -> flow.await("go", Receipt.class, Duration.ofDays(1)).orElseThrow());
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.PARKED);
    execute(
        """
        insert into %1$s.workflow_signal (run, name, value)
        select run, 'other', '1' from %1$s.workflow, generate_series(1, 999)
        """
            .formatted(schema));
    assertThat(workflows.signal("o-1", "other", 1)).isTrue();
    assertThatThrownBy(() -> workflows.signal("o-1", "other", 1))
        .isInstanceOf(TooManySignals.class)
        .hasMessageContaining("1,000 signals");
    assertThat(workflows.signal("nobody", "other", 1)).isFalse();
    assertThat(list("select count(*)::text from %s.workflow_signal".formatted(schema)))
        .containsExactly("1000");
  }

  @Test
  void aRunThatNeverEndsIsStuckAtItsBoundAndCanStillBeUndone() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.step("reserve", String.class)
                  .compensate((tx, hold) -> done.add("cancel " + hold))
                  .transact(tx -> "hold");
              while (true) {
                flow.step("again", Integer.class).compute(() -> 1);
              }
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(workflows.reason("o-1").orElseThrow()).contains("50,000 entries");

    assertThat(workflows.cancel("o-1", "enough", "ops")).isTrue();
    assertThat(workflows.retry("o-1", "ops", "to be undone")).isTrue();
    assertThatThrownBy(() -> workflows.result(workflow, "o-1", SOON)).isInstanceOf(RunFailed.class);
    assertThat(done).containsExactly("cancel hold");
  }

  @Test
  void aClockThatJumpsAheadCostsTheLeaseAndDoesNothingTwice() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch jumped = new CountDownLatch(1);
    AtomicInteger attempts = new AtomicInteger();
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              insert(flow, "before");
              flow.step("during")
                  .transact(
                      tx -> {
                        attempts.incrementAndGet();
                        tx.update("insert into " + schema + ".entry values ('during')");
                        inside.countDown();
                        Awaitility.await().atMost(SOON).until(() -> jumped.getCount() == 0);
                      });
              insert(flow, "after");
              return new Receipt("done");
            });
    Workflows workflows = process(workflow);
    Workflows other = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(inside.await(20, TimeUnit.SECONDS)).isTrue();
    try (StoreClock clock = StoreClock.of(pool, schema)) {
      clock.advance(Duration.ofHours(1));
      jumped.countDown();
      assertThat(other.result(workflow, "o-1", SOON)).contains(new Receipt("done"));
    }
    assertThat(entries()).containsExactly("after", "before", "during");
    assertThat(attempts.get()).isPositive();
  }

  @Test
  void aLookupThatFailsIsNoAnswerAndIsAskedAgain() throws Exception {
    AtomicInteger lookups = new AtomicInteger();
    AtomicInteger calls = new AtomicInteger();
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) ->
                new Receipt(
                    flow.step("charge", String.class)
                        .lookup(
                            key -> {
                              if (lookups.incrementAndGet() < 4) {
                                throw new IOException("the provider is silent");
                              }
                              return Seen.happened("found");
                            })
                        .settleAfter(Duration.ofMillis(1))
                        .retry(Retry.times(10).withWaits(Duration.ofMillis(5), SOON))
                        .call(
                            key -> {
                              calls.incrementAndGet();
                              throw new IOException("the reply was lost");
                            })));
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("found"));
    assertThat(calls).hasValue(1);
    assertThat(lookups).hasValue(4);
  }
}
