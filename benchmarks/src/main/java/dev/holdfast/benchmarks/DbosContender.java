package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.dbos.transact.DBOS;
import dev.dbos.transact.StartWorkflowOptions;
import dev.dbos.transact.config.DBOSConfig;
import dev.dbos.transact.migrations.MigrationManager;
import dev.dbos.transact.txstep.JdbcStepFactory;
import java.util.Map;
import javax.sql.DataSource;

/**
 * DBOS Transact. Its recorded steps are {@code runStep}; its transactional step is that of its
 * {@code JdbcStepFactory}, which records it in one commit with the caller's rows, and once more as
 * a step of the workflow.
 */
final class DbosContender implements WorkflowContender {
  private static final String RECORDED =
      "select count(*) from dbos.workflow_status w where w.status = 'SUCCESS'"
          + " and (select count(*) from dbos.operation_outputs o"
          + "      where o.workflow_uuid = w.workflow_uuid and o.error is null) = 3"
          + " and exists (select from dbos.tx_step_outputs t"
          + "             where t.workflow_id = w.workflow_uuid and t.error is null)";

  /** What its proxy is made of. */
  interface Steps {
    String run(long number) throws Exception;
  }

  /** The workflow, as it wants them: a method with an annotation, called through a proxy. */
  private static final class BenchSteps implements Steps {
    private final DBOS dbos;
    private final JdbcStepFactory transactions;

    BenchSteps(DBOS dbos, JdbcStepFactory transactions) {
      this.dbos = dbos;
      this.transactions = transactions;
    }

    @dev.dbos.transact.workflow.Workflow(name = "bench")
    @Override
    public String run(long number) throws Exception {
      for (String step : new String[] {"one", "two"}) {
        dbos.runStep(() -> Payload.text(number), step);
      }
      transactions.txStep(
          connection -> {
            EntryTable.insert(connection, number);
            return true;
          },
          "enter");
      return Payload.text(number);
    }
  }

  @Override
  public String name() {
    return "dbos";
  }

  @Override
  public String guarantee(WorkflowScenario scenario) {
    return "a step's result is durable before the next begins, the row and its step are one commit";
  }

  @Override
  public Map<String, String> settings() {
    return BestSettings.workflowDbos();
  }

  @Override
  public void prepare(CountedServer server) {
    try (HikariDataSource pool = Db.pool(server.url(), 2)) {
      MigrationManager.runMigrations(config(pool));
      new JdbcStepFactory(new DBOS(config(pool)), pool);
    }
  }

  private static DBOSConfig config(HikariDataSource pool) {
    return DBOSConfig.defaults("bench")
        .withDataSource(pool)
        .withMigrate(false)
        .withUseListenNotify(BestSettings.WORKFLOW_DBOS_LISTENS);
  }

  @Override
  public WorkflowEntry enter(CountedServer server, WorkflowScenario scenario) {
    HikariDataSource pool = Db.pool(server.url(), BestSettings.WORKFLOW_DBOS_POOL);
    DBOS dbos = new DBOS(config(pool));
    Steps steps =
        dbos.registerProxy(Steps.class, new BenchSteps(dbos, new JdbcStepFactory(dbos, pool)));
    dbos.launch();
    return new WorkflowEntry() {
      @Override
      public String run(long number) throws Exception {
        return dbos.<String, Exception>startWorkflow(
                () -> steps.run(number), new StartWorkflowOptions("bench-" + number))
            .getResult();
      }

      @Override
      public void close() {
        dbos.close();
        pool.close();
      }
    };
  }

  @Override
  public long recorded(DataSource database) {
    return Db.count(database, RECORDED);
  }
}
