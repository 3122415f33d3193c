package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.Workflows;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Runs that other runs have started, and what becomes of them when those are undone. */
final class WorkflowChildrenTest extends WorkflowProcesses {

  /** A child with something to undo. */
  private Workflow<Order, Receipt> shipping(Workflow.Body<Order, Receipt> rest) {
    return Workflow.define(
        "ship",
        1,
        Order.class,
        Receipt.class,
        (flow, order) -> {
          flow.step("pack", String.class)
              .compensate((tx, box) -> done.add("unpack " + box))
              .transact(tx -> "box");
          return rest.run(flow, order);
        });
  }

  private Workflow<Order, Receipt> ordering(Workflow<Order, Receipt> child) {
    return define(
        (flow, order) -> {
          flow.step("reserve", String.class)
              .compensate((tx, hold) -> done.add("cancel " + hold))
              .transact(tx -> "hold");
          Receipt receipt = flow.child("ship", child, order);
          if (order.cents() == 13) {
            throw new IllegalStateException("unlucky");
          }
          return receipt;
        });
  }

  private static void assertUndone(Workflows workflows, Workflow<Order, Receipt> workflow) {
    assertThatThrownBy(() -> workflows.result(workflow, "o-1", SOON)).isInstanceOf(RunFailed.class);
  }

  @Test
  @Attacks("workflow.undo")
  void areCancelledAndUndoneBeforeWhatCameBeforeThem() {
    Workflow<Order, Receipt> child =
        shipping(
            (flow, order) ->
                flow.await("shipped", Receipt.class, Duration.ofDays(1)).orElseThrow());
    Workflow<Order, Receipt> workflow = ordering(child);
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    Awaitility.await()
        .atMost(SOON)
        .until(() -> journal().contains("WAIT shipped") && journal().contains("CHILD ship"));
    assertThat(workflows.cancel("o-1", "customer's wish", "ops")).isTrue();
    assertUndone(workflows, workflow);
    assertThat(workflows.status("o-1/ship")).contains(RunStatus.CANCELLED);
    assertThat(done).containsExactly("unpack box", "cancel hold");
  }

  @Test
  @Attacks("workflow.undo")
  void areUndoneThoughTheyHaveCompleted() {
    Workflow<Order, Receipt> child = shipping((flow, order) -> new Receipt("shipped"));
    Workflow<Order, Receipt> workflow = ordering(child);
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 13));
    assertUndone(workflows, workflow);
    assertThat(workflows.status("o-1")).contains(RunStatus.FAILED);
    assertThat(workflows.status("o-1/ship")).contains(RunStatus.CANCELLED);
    assertThat(done).containsExactly("unpack box", "cancel hold");
  }

  @Test
  void areAPersonsWhereTheyHaveCompletedBehindTheirPivot() {
    Workflow<Order, Receipt> child =
        shipping(
            (flow, order) -> {
              flow.pivot();
              return new Receipt("shipped");
            });
    Workflow<Order, Receipt> workflow = ordering(child);
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 13));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(workflows.reason("o-1").orElseThrow()).contains("o-1/ship").contains("pivot");
    assertThat(done).isEmpty();
    assertThat(workflows.skipUndo("o-1", "ship", "ops", "sent back by hand")).isTrue();
    assertUndone(workflows, workflow);
    assertThat(done).containsExactly("cancel hold");
  }

  @Test
  void fallTogetherWithNoRunOfSomebodyElses() {
    Workflow<Order, Receipt> child = shipping((flow, order) -> new Receipt("shipped"));
    Workflow<Order, Receipt> workflow = ordering(child);
    Workflows workflows = process(workflow, child);
    workflows.start(child, "o-1/ship", new Order("o-1", 1));
    awaitStatus(workflows, "o-1/ship", RunStatus.COMPLETED);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThatThrownBy(() -> workflows.result(workflow, "o-1", SOON))
        .hasMessageContaining("somebody else has started");
    assertThat(workflows.status("o-1/ship")).contains(RunStatus.COMPLETED);
    assertThat(done).containsExactly("cancel hold");
  }

  @Test
  void areKeptAsLongAsTheyMayHaveToBeUndone() throws Exception {
    Workflow<Order, Receipt> child = shipping((flow, order) -> new Receipt("shipped"));
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.child("ship", child, order);
              return flow.await("go", Receipt.class, Duration.ofDays(1)).orElseThrow();
            });
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    Awaitility.await().atMost(SOON).until(() -> journal().contains("WAIT go"));
    assertThat(PostgresStore.open(pool, schema).workflows().forget(Duration.ZERO, 10)).isZero();
    workflows.cancel("o-1", "customer's wish", "ops");
    assertUndone(workflows, workflow);
    assertThat(done).containsExactly("unpack box");
    assertThat(PostgresStore.open(pool, schema).workflows().forget(Duration.ZERO, 10)).isEqualTo(2);
  }

  @Test
  void areNotWaitedForAnyMoreWhenTheyHaveFailedAndAreStartedAnewByARestart() throws Exception {
    AtomicInteger broken = new AtomicInteger(1);
    Workflow<Order, Receipt> child =
        shipping(
            (flow, order) -> {
              if (broken.get() > 0) {
                throw new IllegalStateException("no parcel");
              }
              return new Receipt(flow.id());
            });
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.pivot();
              return flow.child("ship", child, order);
            });
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(workflows.reason("o-1").orElseThrow())
        .contains("no parcel")
        .endsWith("holdfast workflow restart o-1 --from ship");
    assertThat(workflows.retry("o-1", "ops", "once more")).isTrue();
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    broken.set(0);
    assertThat(workflows.restart("o-1", "ship", "ops", "mended")).isTrue();
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("o-1/ship@1"));
  }

  @Test
  void areKeptAsLongAsTheirParentMayBeRestartedAndThenHasToBeUndone() throws Exception {
    AtomicInteger broken = new AtomicInteger();
    Workflow<Order, Receipt> child = shipping((flow, order) -> new Receipt("shipped"));
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              Receipt receipt = flow.child("ship", child, order);
              flow.step("confirm")
                  .transact(
                      tx -> {
                        if (broken.get() > 0) {
                          throw new IllegalStateException("broken");
                        }
                      });
              return receipt;
            });
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("shipped"));
    // It had ended long before its parent did.
    execute(
        """
        update %1$s.workflow_state s set changed_at = changed_at - interval '5 days'
        from %1$s.workflow w where w.run = s.run and w.id = 'o-1/ship'
        """
            .formatted(schema));
    assertThat(PostgresStore.open(pool, schema).workflows().forget(Duration.ofDays(4), 10))
        .isZero();
    broken.set(1);
    assertThat(workflows.restart("o-1", "confirm", "ops", "once more")).isTrue();
    assertUndone(workflows, workflow);
    assertThat(done).containsExactly("unpack box");
  }

  @Test
  void tellNobodyWhoIsForgotten() throws Exception {
    Workflow<Order, Receipt> child =
        shipping(
            (flow, order) ->
                flow.await("shipped", Receipt.class, Duration.ofDays(1)).orElseThrow());
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.pivot();
              flow.parallel(
                  "both",
                  List.of("ships", "fails"),
                  (branch, item) -> {
                    if (item.equals("ships")) {
                      return branch.child("ship", child, order);
                    }
                    throw new IllegalStateException("no");
                  });
              return new Receipt("never");
            });
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    Awaitility.await().atMost(SOON).until(() -> journal().contains("WAIT shipped"));
    assertThat(workflows.fail("o-1", "ops", "given up")).isTrue();
    assertThat(PostgresStore.open(pool, schema).workflows().forget(Duration.ZERO, 10)).isOne();

    String id = "o-1/both[0]/ship";
    assertThat(workflows.signal(id, "shipped", new Receipt("late"))).isTrue();
    assertThat(workflows.result(child, id, SOON)).contains(new Receipt("late"));
    assertThat(list("select name from " + schema + ".workflow_signal")).isEmpty();
  }
}
