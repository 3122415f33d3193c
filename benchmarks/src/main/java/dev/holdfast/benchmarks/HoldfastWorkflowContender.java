package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.workflow.Workflow;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;

/** Holdfast's workflows with their defaults. */
final class HoldfastWorkflowContender implements WorkflowContender {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  /** As long as a payment provider keeps one. */
  private static final Duration KEY_KEPT_FOR = Duration.ofDays(1);

  private static final Workflow<Long, String> WORKFLOW =
      Workflow.define(
          "bench",
          1,
          Long.class,
          String.class,
          (flow, number) -> {
            for (String step : new String[] {"one", "two"}) {
              flow.step(step, String.class)
                  .keyKeptFor(KEY_KEPT_FOR)
                  .call(key -> Payload.text(number));
            }
            return flow.step("enter", String.class)
                .transactAndComplete(
                    tx -> {
                      EntryTable.insert(tx.connection(), number);
                      return Payload.text(number);
                    });
          });

  /** In the same schema as the engine has them. */
  private static final String RECORDED =
      "select count(*) from holdfast.workflow_state s where s.status = 'COMPLETED'"
          + " and (select count(*) from holdfast.workflow_journal j"
          + "      where j.run = s.run and j.kind = 'RESULT') = 3";

  @Override
  public String name() {
    return "holdfast";
  }

  @Override
  public String guarantee(WorkflowScenario scenario) {
    return "a step's result is durable before another step has an effect, the row and its step are"
        + " one commit; fenced: a process that was given up commits nothing";
  }

  @Override
  public Map<String, String> settings() {
    return BestSettings.workflowHoldfast();
  }

  @Override
  public void prepare(CountedServer server) {
    try (HikariDataSource pool = Db.pool(server.url(), 2);
        Holdfast holdfast = Holdfast.on(pool).start()) {
      holdfast.workflows();
    }
  }

  @Override
  public WorkflowEntry enter(CountedServer server, WorkflowScenario scenario) {
    HikariDataSource pool =
        Db.pool(
            // As the manual advises: else each transaction sets it, which is a round trip.
            server.url() + "&options=-c%20lock_timeout=5s", BestSettings.WORKFLOW_HOLDFAST_POOL);
    Holdfast holdfast = Holdfast.on(pool).schemaManagedElsewhere().workflow(WORKFLOW).start();
    return new WorkflowEntry() {
      @Override
      public String run(long number) throws InterruptedException {
        String id = "bench-" + number;
        holdfast.workflows().start(WORKFLOW, id, number);
        return holdfast
            .workflows()
            .result(WORKFLOW, id, LIMIT)
            .orElseThrow(() -> new BenchmarkFailure("Run " + id + " has not ended in " + LIMIT));
      }

      @Override
      public void close() {
        holdfast.close();
        pool.close();
      }
    };
  }

  @Override
  public long recorded(DataSource database) {
    return Db.count(database, RECORDED);
  }
}
