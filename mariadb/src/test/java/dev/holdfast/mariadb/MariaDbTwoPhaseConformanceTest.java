package dev.holdfast.mariadb;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.TwoPhaseConformance;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;

/** Operations that PostgreSQL decides keep their promises at every commit point of MariaDB's. */
@Tag("long")
final class MariaDbTwoPhaseConformanceTest extends TwoPhaseConformance {
  private static final Map<String, String> URLS = new ConcurrentHashMap<>();

  @Override
  protected String deciderUrl() {
    return URLS.computeIfAbsent(
        "orders",
        name -> {
          String database = TestServers.unique("conformance_orders");
          TestServers.Postgres.SERVER.createDatabase(database);
          return TestServers.Postgres.SERVER.jdbcUrl(database);
        });
  }

  @Override
  protected String participantUrl(int number) {
    return URLS.computeIfAbsent(
        number == 0 ? "ledger" : "stock",
        name -> {
          String database = TestServers.unique("conformance_" + name);
          TestServers.MariaDb.SERVER.createDatabase(database);
          return TestServers.MariaDb.SERVER.jdbcUrl(database);
        });
  }

  @Override
  protected DataSource pool(Resources resources, DataSource physical) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(physical);
    config.setMaximumPoolSize(6);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(5_000);
    HikariDataSource pool = new HikariDataSource(config);
    resources.onStop(pool);
    return pool;
  }
}
