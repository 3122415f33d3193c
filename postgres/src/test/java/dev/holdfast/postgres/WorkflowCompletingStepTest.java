package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A step that ends its run in the commit of its own rows. */
final class WorkflowCompletingStepTest extends WorkflowProcesses {

  private Workflow<Order, Receipt> confirming(String name) {
    return Workflow.define(
        name,
        1,
        Order.class,
        Receipt.class,
        (flow, order) -> {
          try {
            return flow.step("confirm", Receipt.class)
                .compensate((tx, receipt) -> done.add("undo " + receipt.text()))
                .transactAndComplete(
                    tx -> {
                      tx.update("insert into " + schema + ".entry values (?)", order.id());
                      return new Receipt("confirmed " + order.id());
                    });
          } finally {
            done.add("left");
          }
        });
  }

  @Test
  @Attacks("workflow.step")
  void endsTheRunWithItsOwnResult() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              int tax = flow.step("tax", Integer.class).compute(() -> 19);
              flow.step("confirm", Receipt.class)
                  .transactAndComplete(
                      tx -> {
                        tx.update("insert into " + schema + ".entry values ('confirm')");
                        return new Receipt("tax " + tax);
                      });
              done.add("went on");
              return new Receipt("another");
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("tax 19"));
    assertThat(entries()).containsExactly("confirm");
    assertThat(journal()).containsExactly("RESULT tax", "RESULT confirm", "COMPLETED ");
    assertThat(list("select count(distinct xmin::text) from %s.workflow_journal".formatted(schema)))
        .containsExactly("1");
    assertThat(list("select status from %s.workflow_state".formatted(schema)))
        .containsExactly("COMPLETED");
    assertThat(done).isEmpty();
  }

  @Test
  void isAnswerToAParentAndIsUndoneWithIt() throws Exception {
    Workflow<Order, Receipt> child = confirming("confirm-order");
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              Receipt receipt = flow.child("confirm", child, order);
              if (order.cents() == 13) {
                throw new IllegalStateException("unlucky");
              }
              return receipt;
            });
    Workflows workflows = process(workflow, child);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("confirmed o-1"));
    assertThat(done).containsExactly("left");
    workflows.start(workflow, "o-2", new Order("o-2", 13));
    assertThatThrownBy(() -> workflows.result(workflow, "o-2", SOON)).isInstanceOf(RunFailed.class);
    assertThat(done).contains("undo confirmed o-2");
    assertThat(workflows.status("o-2/confirm")).contains(RunStatus.CANCELLED);
  }

  @Test
  void whereItFailsTheFunctionGoesOn() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              try {
                return flow.step("confirm", Receipt.class)
                    .transactAndComplete(
                        tx -> {
                          tx.update("insert into " + schema + ".entry values ('confirm')");
                          throw new IllegalStateException("not today");
                        });
              } catch (StepFailed e) {
                insert(flow, "instead");
                return new Receipt("instead");
              }
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(workflow, "o-1", SOON)).contains(new Receipt("instead"));
    assertThat(entries()).containsExactly("instead");
  }

  @Test
  void ofABranchOrWithAnotherResultThanTheRunsIsNotRun() {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              if (order.cents() == 1) {
                flow.step("confirm", String.class)
                    .transactAndComplete(tx -> String.valueOf(done.add("confirmed")));
              }
              flow.parallel(
                  "both",
                  List.of("a", "b"),
                  (branch, item) ->
                      branch
                          .step("confirm", Receipt.class)
                          .transactAndComplete(tx -> new Receipt(item + done.add("confirmed"))));
              return new Receipt("none");
            });
    Workflows workflows = process(workflow);
    for (int cents : List.of(1, 2)) {
      workflows.start(workflow, "o-" + cents, new Order("o", cents));
      awaitStatus(workflows, "o-" + cents, RunStatus.STUCK);
      assertThat(workflows.reason("o-" + cents).orElseThrow())
          .contains("confirm", "the function's own last step", Receipt.class.getName());
    }
    assertThat(done).isEmpty();
  }

  @Test
  @Attacks({"workflow.step", "workflow.undo"})
  void undoesBeforehandWhatWasGivenUpAsUnknown() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              try {
                flow.step("charge", String.class)
                    .keyKeptFor(Duration.ofDays(1))
                    .retry(QUICK.withAttempts(1))
                    .compensate((key, charged) -> done.add("refund " + charged.isPresent()))
                    .call(
                        key -> {
                          throw new java.io.IOException("no answer");
                        });
              } catch (StepFailed e) {
                done.add(e.kind().name());
              }
              return flow.step("confirm", Receipt.class)
                  .transactAndComplete(tx -> new Receipt("without" + done.add("confirm")));
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(workflow, "o-1", SOON)).isPresent();
    assertThat(done).containsExactly("UNKNOWN", "refund false", "confirm");
  }

  @Test
  @Attacks("workflow.step")
  void isThereOnceThoughItsCommitOrItsReplyIsLost() throws Exception {
    AtomicInteger commits = new AtomicInteger();
    WorkflowSettings settings = WorkflowSettings.DEFAULT.withLease(Duration.ofSeconds(1));
    try (TcpRelay network = TcpRelay.to("127.0.0.1", TestDatabase.server().port());
        HikariDataSource remote =
            TestDatabase.pool(
                "jdbc:postgresql://127.0.0.1:"
                    + network.port()
                    + "/postgres?user=postgres&sslmode=disable&gssEncMode=disable&socketTimeout=2",
                5)) {
      CountDownLatch gone = new CountDownLatch(1);
      Workflow<Order, Receipt> workflow =
          define(
              (flow, order) ->
                  flow.step("confirm", Receipt.class)
                      .transactAndComplete(
                          tx -> {
                            tx.update("insert into " + schema + ".entry values ('confirm')");
                            if (commits.incrementAndGet() == 1) {
                              // The commit does not arrive, and what asks about it does.
                              network.cut();
                              network.restore();
                            } else if (commits.get() == 2) {
                              network.cut();
                              gone.countDown();
                            }
                            return new Receipt("at attempt " + commits);
                          }));
      process(remote, settings, workflow).start(workflow, "o-1", new Order("o-1", 1));
      assertThat(gone.await(20, TimeUnit.SECONDS)).isTrue();

      Workflows other = process(pool, settings, workflow);
      awaitStatus(other, "o-1", RunStatus.COMPLETED);
      assertThat(other.result(workflow, "o-1", SOON)).contains(new Receipt("at attempt 3"));
      processes.remove(0).close();
    }
    assertThat(entries()).containsExactly("confirm");
    assertThat(journal()).containsExactly("ATTEMPT confirm", "RESULT confirm", "COMPLETED ");
  }
}
