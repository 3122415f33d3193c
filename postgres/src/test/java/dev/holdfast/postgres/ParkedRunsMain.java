package dev.holdfast.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/** A process that runs workflows that wait, until it is ended. */
final class ParkedRunsMain {
  static final Duration WAIT = Duration.ofMinutes(5);

  private ParkedRunsMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(arguments[0]);
    config.setMaximumPoolSize(8);
    Workflow<String, String> workflow =
        Workflow.define(
            "wait",
            1,
            String.class,
            String.class,
            (flow, input) -> {
              flow.sleep("a while", WAIT);
              return "awake";
            });
    try (HikariDataSource pool = new HikariDataSource(config);
        Holdfast holdfast =
            Holdfast.on(pool)
                .schema(arguments[1])
                .schemaManagedElsewhere()
                .workflow(workflow)
                // Time is moved by less than the lease.
                .workflows(WorkflowSettings.DEFAULT.withLease(Duration.ofMinutes(10)))
                .start()) {
      new CountDownLatch(1).await();
    }
  }
}
