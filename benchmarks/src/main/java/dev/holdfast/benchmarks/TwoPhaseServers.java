package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;

/** Two PostgreSQL servers for all contenders, and a directory for those who keep a log. */
final class TwoPhaseServers implements BenchmarkCommand.StartedServers {
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
    return Machine.fileSystem(logs);
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
    databases().forEach(EntryTable::create);
  }

  /** Forced writes of the log of both servers since they started, see {@link ServerCounts}. */
  long forcedWrites() {
    return new ServerCounts(databases()).forcedWrites();
  }

  /**
   * Every number from 0 on is in both databases once, and nothing is left in doubt.
   *
   * @throws BenchmarkFailure otherwise
   */
  void check(long numbers) {
    for (DataSource database : databases()) {
      EntryTable.check(database, numbers);
      long doubt = Db.count(database, "select count(*) from pg_prepared_xacts");
      if (doubt != 0) {
        throw new BenchmarkFailure(
            "%,d transactions left %,d branches in doubt in one of the databases"
                .formatted(numbers, doubt));
      }
    }
  }

  private List<DataSource> databases() {
    return List.of(Db.source(urlA()), Db.source(urlB()));
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
