package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.internal.Doorbell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Two PostgreSQL servers for all contenders, and a directory for those who keep a log. */
final class TwoPhaseServers implements BenchmarkCommand.StartedServers {
  private static final Duration QUIET_LIMIT = Duration.ofSeconds(30);
  private static final Duration SAMPLE = Duration.ofMillis(20);

  /** Background processes count their writes at least that often while there are any. */
  private static final Duration COUNTED_WITHIN = Duration.ofMillis(300);

  private static final String OTHERS =
      "select count(*) from pg_stat_activity"
          + " where backend_type = 'client backend' and pid <> pg_backend_pid()";
  private static final String FORCED_WRITES =
      "select coalesce(sum(fsyncs), 0)::bigint from pg_stat_io where object = 'wal'";

  private final PostgresServer a;
  private final PostgresServer b;
  private final Path logs;

  private TwoPhaseServers(PostgresServer a, PostgresServer b, Path logs) {
    this.a = a;
    this.b = b;
    this.logs = logs;
  }

  static TwoPhaseServers start() {
    PostgresServer a = postgres();
    try {
      PostgresServer b = postgres();
      try {
        return new TwoPhaseServers(a, b, Files.createTempDirectory("holdfast-bench-"));
      } catch (IOException e) {
        b.close();
        throw new BenchmarkFailure("There is no directory for the contenders' logs", e);
      }
    } catch (RuntimeException e) {
      a.close();
      throw e;
    }
  }

  private static PostgresServer postgres() {
    PostgresServer.Builder builder = PostgresServer.builder();
    BestSettings.TWO_PHASE_POSTGRES.forEach(builder::setting);
    return builder.start();
  }

  String urlA() {
    return a.jdbcUrl();
  }

  String urlB() {
    return b.jdbcUrl();
  }

  /** On the same file system as the databases. */
  Path logs() {
    return logs;
  }

  /** What the databases and the logs are on: figures from memory would say nothing. */
  String fileSystem() {
    try {
      return Files.getFileStore(logs).type();
    } catch (IOException e) {
      throw new BenchmarkFailure("Nobody can tell what " + logs + " is on", e);
    }
  }

  /** Connections enough for every thread to have one to each server, opened beforehand. */
  static HikariDataSource pool(String url, int threads) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(threads);
    config.setMinimumIdle(threads);
    config.setAutoCommit(false);
    return new HikariDataSource(config);
  }

  /** An empty table in both databases, and nothing of the run before. */
  void clear() {
    for (DataSource database : databases()) {
      Db.execute(
          database,
          "drop table if exists bench_entry",
          "create table bench_entry (number bigint primary key, payload bytea not null)");
    }
  }

  /**
   * Forced writes of the log of both servers since they started. To be asked when no contender is
   * connected: a session counts its own at its end.
   */
  long forcedWrites() {
    long began = Doorbell.nanos();
    while (databases().stream().anyMatch(database -> Db.count(database, OTHERS) > 0)) {
      if (Doorbell.hasPassed(QUIET_LIMIT, began)) {
        throw new BenchmarkFailure("Connections are still open " + QUIET_LIMIT + " after the run");
      }
      pause(SAMPLE);
    }
    long before;
    long now = sum();
    do {
      before = now;
      pause(COUNTED_WITHIN);
      now = sum();
    } while (now != before && !Doorbell.hasPassed(QUIET_LIMIT, began));
    return now;
  }

  private long sum() {
    return databases().stream().mapToLong(database -> Db.count(database, FORCED_WRITES)).sum();
  }

  private static void pause(Duration time) {
    try {
      new Doorbell().await(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchmarkFailure("Interrupted between two runs", e);
    }
  }

  /**
   * Every number from 0 on is in both databases once, and nothing is left in doubt.
   *
   * @throws BenchmarkFailure otherwise
   */
  void check(long numbers) {
    for (DataSource database : databases()) {
      // Numbers are unique, by the key: so many within these bounds are all of them.
      long found =
          Db.count(
              database,
              "select count(*) from bench_entry where number >= 0 and number < " + numbers);
      long all = Db.count(database, "select count(*) from bench_entry");
      long doubt = Db.count(database, "select count(*) from pg_prepared_xacts");
      if (found != numbers || all != numbers || doubt != 0) {
        throw new BenchmarkFailure(
            "%,d transactions left %,d rows in one of the databases, %,d of them theirs, and %,d branches in doubt"
                .formatted(numbers, all, found, doubt));
      }
    }
  }

  private List<DataSource> databases() {
    return List.of(source(urlA()), source(urlB()));
  }

  private static DataSource source(String url) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(url);
    return source;
  }

  @Override
  public void close() {
    b.close();
    a.close();
    try (Stream<Path> files = Files.walk(logs)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new BenchmarkFailure("%s could not be deleted".formatted(logs), e);
    }
  }
}
