package dev.holdfast.postgres.twophase;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.TwoPhaseConformance;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;

/** PostgreSQL with PostgreSQL in the crash lab: two servers, and a third database beside one. */
abstract class PostgresTwoPhase extends TwoPhaseConformance {
  /** By class, since each suite has its databases to itself; made when asked for the first time. */
  private static final Map<String, String> URLS = new ConcurrentHashMap<>();

  private String url(String database, boolean decides) {
    return URLS.computeIfAbsent(
        getClass().getName() + database,
        key -> {
          String name = "conformance_" + database + "_" + URLS.size();
          var server = decides ? TwoDatabases.ordersServer() : TwoDatabases.ledgerServer();
          server.createDatabase(name);
          return server.jdbcUrl(name);
        });
  }

  @Override
  protected final String deciderUrl() {
    return url("orders", true);
  }

  @Override
  protected final String participantUrl(int number) {
    return url(number == 0 ? "ledger" : "stock", false);
  }

  @Override
  protected final DataSource pool(Resources resources, DataSource physical) {
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
