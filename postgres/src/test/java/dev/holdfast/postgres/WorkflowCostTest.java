package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What a run costs in statements, each of which is a round trip. */
final class WorkflowCostTest {
  private final String schema = TestDatabase.newSchema();
  private final List<String> statements = new CopyOnWriteArrayList<>();

  /** Writes down what is sent, but for who looks for runs and keeps the lease. */
  private DataSource recording(DataSource real) {
    return proxy(DataSource.class, real);
  }

  private <T> T proxy(Class<T> type, T real) {
    return type.cast(
        Proxy.newProxyInstance(
            WorkflowCostTest.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, args) -> {
              if (method.getName().equals("prepareStatement")) {
                String sql = (String) args[0];
                if (!sql.contains("workflow_claim") && !sql.contains("min(s.due_at)")) {
                  statements.add(sql);
                }
              }
              if (method.getName().equals("commit")) {
                statements.add("commit alone");
              }
              try {
                Object result = method.invoke(real, args);
                return method.getName().equals("getConnection")
                    ? proxy(Connection.class, (Connection) result)
                    : result;
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            }));
  }

  @Test
  void aTransactionsStepIsOneCommitAndARecordedStepAtMostOneStatement() throws Exception {
    HikariDataSource pool = TestDatabase.dataSource();
    PostgresStore.open(pool, schema).schema().migrate();
    try (Connection connection = pool.getConnection();
        var statement = connection.createStatement()) {
      statement.execute("create table " + schema + ".entry (id text primary key)");
    }
    CountDownLatch over = new CountDownLatch(2);
    Workflow<String, String> workflow =
        Workflow.define(
            "three-steps",
            1,
            String.class,
            String.class,
            (flow, id) -> {
              flow.step("draw", String.class).compute(() -> "drawn");
              for (String call : List.of("one", "two")) {
                flow.step(call, String.class).keyKeptFor(Duration.ofDays(1)).call(key -> call);
              }
              flow.step("enter")
                  .transact(tx -> tx.update("insert into " + schema + ".entry values (?)", id));
              over.countDown();
              return "done";
            });
    try (Holdfast holdfast =
        Holdfast.on(recording(pool))
            .schema(schema)
            .schemaManagedElsewhere()
            .workflow(workflow)
            .workflows(
                WorkflowSettings.DEFAULT
                    .withLease(Duration.ofMinutes(10))
                    .withPollInterval(Duration.ofMinutes(1)))
            .start()) {
      // The first transaction asks for what the sessions come with.
      holdfast.workflows().start(workflow, "warm-up", "warm-up");
      awaitEnd(pool, "warm-up");
      statements.clear();

      holdfast.workflows().start(workflow, "o-1", "o-1");

      assertThat(over.await(20, TimeUnit.SECONDS)).isTrue();
      awaitEnd(pool, "o-1");
      assertThat(statements.stream().map(sql -> sql.replace(schema, "holdfast")))
          .containsExactly(
              // The start.
              "select * from holdfast.workflow_start_all(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
              // What was drawn, before the first call has an effect.
              "select * from holdfast.workflow_append(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb)",
              // The first call's result, before the second.
              "select * from holdfast.workflow_append(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb)",
              // The second one's goes with the transaction.
              "insert into holdfast.entry values (?)",
              "select holdfast.workflow_append_one(?, ?, ?, ?, ?, ?, ?, ?, ?); commit",
              // The end.
              "select * from holdfast.workflow_append(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb)");
    }
  }

  private void awaitEnd(HikariDataSource pool, String id) {
    PostgresStore store = PostgresStore.open(pool, schema);
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              var status = store.workflows().statuses(List.of(id)).get(id);
              return status != null && status.status().isFinal();
            });
  }
}
