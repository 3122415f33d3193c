package dev.holdfast.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.PostgresServer;
import java.util.concurrent.atomic.AtomicInteger;

/** One server for all tests of this JVM; each test has a schema of its own. */
final class TestDatabase {
  private static final PostgresServer SERVER = PostgresServer.start();
  private static final HikariDataSource POOL = pool(SERVER.jdbcUrl(), 20);
  private static final AtomicInteger SCHEMAS = new AtomicInteger();

  private TestDatabase() {}

  static PostgresServer server() {
    return SERVER;
  }

  static HikariDataSource dataSource() {
    return POOL;
  }

  static String newSchema() {
    return "holdfast_" + SCHEMAS.incrementAndGet();
  }

  static HikariDataSource pool(String url, int size) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(5_000);
    return new HikariDataSource(config);
  }
}
