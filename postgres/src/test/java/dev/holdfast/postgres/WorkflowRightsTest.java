package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.StartOptions;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowQueue;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The printed roles suffice for whoever runs workflows. */
final class WorkflowRightsTest extends WorkflowProcesses {

  @Test
  void aWriterStartsRunsWaitsOperatesAndLetsIn() throws Exception {
    execute(PostgresStore.open(pool, schema).schema().printRoles());
    execute("grant all on %s.entry to holdfast_writer".formatted(schema));
    Workflow<Order, Receipt> child =
        Workflow.define(
            "ship",
            1,
            Order.class,
            Receipt.class,
            (flow, order) ->
                flow.step("shipped", Receipt.class)
                    .compensate((tx, receipt) -> done.add("unship"))
                    .transactAndComplete(tx -> new Receipt("shipped")));
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              flow.step("enter")
                  .transact(
                      tx ->
                          tx.update(
                              "insert into " + schema + ".entry values (?) on conflict do nothing",
                              order.id()));
              flow.await("go", String.class, Duration.ofDays(1));
              Receipt receipt = flow.child("ship", child, order);
              if (order.cents() == 13) {
                throw new IllegalStateException("unlucky");
              }
              return receipt;
            });
    try (HikariDataSource writers =
            TestDatabase.pool(
                TestDatabase.server().jdbcUrl() + "&options=-c%20role=holdfast_writer", 5);
        Holdfast holdfast =
            Holdfast.on(writers)
                .schema(schema)
                .schemaManagedElsewhere()
                .workflow(workflow)
                .workflow(child)
                .workflowQueue(WorkflowQueue.named("orders").withConcurrency(1))
                .workflows(
                    WorkflowSettings.DEFAULT
                        .withLease(Duration.ofSeconds(1))
                        .withPollInterval(Duration.ofMillis(50)))
                .start()) {
      Workflows workflows = holdfast.workflows();
      workflows.start(
          workflow, "o-1", new Order("o-1", 13), StartOptions.DEFAULT.withQueue("orders"));
      holdfast.transact(tx -> workflows.start(tx, workflow, "o-2", new Order("o-2", 1)));
      for (String id : new String[] {"o-1", "o-2"}) {
        assertThat(workflows.signal(id, "go", "now")).isTrue();
      }
      assertThat(workflows.result(workflow, "o-2", SOON)).contains(new Receipt("shipped"));
      assertThatThrownBy(() -> workflows.result(workflow, "o-1", SOON))
          .isInstanceOf(RunFailed.class);
      assertThat(done).containsExactly("unship");
      workflows.start(workflow, "o-3", new Order("o-3", 1));
      assertThat(workflows.cancel("o-3", "no longer wanted", "anna")).isTrue();
      awaitStatus(workflows, "o-3", RunStatus.CANCELLED);
      assertThat(workflows.restart("o-3", "", "anna", "after all")).isTrue();
      assertThat(workflows.signal("o-3", "go", "now")).isTrue();
      awaitStatus(workflows, "o-3", RunStatus.COMPLETED);
    }
  }
}
