package dev.holdfast.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.crashtest.WorkflowConformance;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.postgresql.ds.PGSimpleDataSource;

/** Workflows in PostgreSQL keep their promises at every commit point. */
final class PostgresWorkflowConformanceTest extends WorkflowConformance {
  private static final int POOL = 4;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** More than the lease that they have. */
  private static final Duration LEASE = Duration.ofSeconds(2);

  private static final Map<String, StoreClock> CLOCKS = new ConcurrentHashMap<>();

  /** Made when it is asked for: in a forked JVM it is not. */
  private static final class Own {
    static final String URL = create();

    private Own() {}

    private static String create() {
      TestDatabase.server().createDatabase("workflow_conformance");
      return TestDatabase.server().jdbcUrl("workflow_conformance");
    }
  }

  @Override
  protected String databaseUrl() {
    return Own.URL;
  }

  @Override
  protected DataSource pool(Resources resources, DataSource physical) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(physical);
    config.setMaximumPoolSize(POOL);
    config.setMinimumIdle(POOL);
    HikariDataSource pool = new HikariDataSource(config);
    resources.onStop(pool);
    // The relay loses the next answer, which is not to be that to a new connection.
    Awaitility.await()
        .atMost(PATIENCE)
        .until(() -> pool.getHikariPoolMXBean().getTotalConnections() == POOL);
    return pool;
  }

  @Override
  protected void endLeases(String url) {
    CLOCKS
        .computeIfAbsent(
            url,
            each -> {
              PGSimpleDataSource direct = new PGSimpleDataSource();
              direct.setURL(each);
              return StoreClock.of(direct, "holdfast");
            })
        .advance(LEASE);
  }
}
