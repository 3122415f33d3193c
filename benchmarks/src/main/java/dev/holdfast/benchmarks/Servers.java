package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.util.concurrent.atomic.AtomicInteger;

/** One PostgreSQL and one Kafka for all contenders. */
final class Servers implements BenchmarkCommand.StartedServers {
  private static final int PARTITIONS = 4;

  private final PostgresServer postgres;
  private final KafkaServer kafka;
  private final HikariDataSource pool;
  private final AtomicInteger topics = new AtomicInteger();

  private Servers(PostgresServer postgres, KafkaServer kafka) {
    this.postgres = postgres;
    this.kafka = kafka;
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(postgres.jdbcUrl());
    config.setMaximumPoolSize(BestSettings.POOL);
    config.setMinimumIdle(BestSettings.WRITERS);
    this.pool = new HikariDataSource(config);
  }

  static Servers start() {
    PostgresServer.Builder builder = PostgresServer.builder();
    BestSettings.POSTGRES.forEach(builder::setting);
    PostgresServer postgres = builder.start();
    try {
      // Much is asked of it, so both compilers.
      return new Servers(
          postgres, KafkaServer.builder().javaOption("-XX:TieredStopAtLevel=4").start());
    } catch (RuntimeException e) {
      postgres.close();
      throw e;
    }
  }

  /** For one run, with a topic of its own. */
  Venue venue(Mode mode) {
    String topic = "bench-" + topics.incrementAndGet();
    kafka.createTopic(topic, PARTITIONS);
    Db.createOrders(pool);
    return new Venue(postgres, pool, kafka.bootstrapServers(), topic, mode);
  }

  HikariDataSource pool() {
    return pool;
  }

  @Override
  public void close() {
    pool.close();
    kafka.close();
    postgres.close();
  }
}
