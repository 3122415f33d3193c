package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.workflow.Flow;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Processes that run workflows on one database, and what a test asks of them. */
abstract class WorkflowProcesses {
  static final Duration SOON = Duration.ofSeconds(20);
  static final Retry QUICK = Retry.times(5).withWaits(Duration.ofMillis(5), SOON);

  final HikariDataSource pool = TestDatabase.dataSource();
  final String schema = TestDatabase.newSchema();
  final List<Holdfast> processes = new ArrayList<>();
  final List<String> done = Collections.synchronizedList(new ArrayList<>());

  record Order(String id, int cents) {}

  record Receipt(String text) {}

  @BeforeEach
  void createTables() throws SQLException {
    PostgresStore.open(pool, schema).schema().migrate();
    execute("create table %s.entry (id text primary key)".formatted(schema));
  }

  @AfterEach
  void close() {
    processes.forEach(Holdfast::close);
  }

  Workflows process(Workflow<?, ?>... definitions) {
    return process(pool, WorkflowSettings.DEFAULT, definitions);
  }

  Workflows process(
      javax.sql.DataSource dataSource, WorkflowSettings settings, Workflow<?, ?>... definitions) {
    Holdfast.Builder builder =
        Holdfast.on(dataSource)
            .schema(schema)
            .schemaManagedElsewhere()
            .workflows(settings.withPollInterval(Duration.ofMillis(50)));
    for (Workflow<?, ?> definition : definitions) {
      builder.workflow(definition);
    }
    Holdfast holdfast = builder.start();
    processes.add(holdfast);
    return holdfast.workflows();
  }

  static Workflow<Order, Receipt> define(Workflow.Body<Order, Receipt> body) {
    return Workflow.define("place-order", 1, Order.class, Receipt.class, body);
  }

  void insert(Flow flow, String step) {
    flow.step(step).transact(tx -> tx.update("insert into " + schema + ".entry values (?)", step));
  }

  void execute(String sql) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  List<String> list(String sql) {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      List<String> result = new ArrayList<>();
      while (rows.next()) {
        result.add(rows.getString(1));
      }
      return result;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  List<String> entries() {
    return list("select id from " + schema + ".entry order by id");
  }

  List<String> journal() {
    return list(
        "select kind || ' ' || step from " + schema + ".workflow_journal order by run, seq");
  }

  static void awaitStatus(Workflows workflows, String id, RunStatus status) {
    Awaitility.await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(workflows.status(id)).contains(status));
  }
}
