package dev.holdfast.benchmarks;

import dev.holdfast.devservices.PostgresServer;
import java.nio.file.Path;
import java.util.List;
import javax.sql.DataSource;

/**
 * One PostgreSQL server. Contenders have a database of it, anew for each run; what they do is
 * counted in another.
 */
final class CountedServer implements BenchmarkCommand.StartedServers {
  private static final String DATABASE = "bench";

  /** What was sent, and not what functions do with it. Neither begin nor commit is one. */
  private static final String STATEMENTS =
      "select coalesce(sum(s.calls), 0)::bigint from pg_stat_statements s"
          + " join pg_database d on d.oid = s.dbid where d.datname = '%s'".formatted(DATABASE);

  private static final String COMMITS =
      "select coalesce(sum(xact_commit), 0)::bigint from pg_stat_database where datname = '%s'"
          .formatted(DATABASE);

  private final PostgresServer server;
  private final DataSource counting;

  private CountedServer(PostgresServer server) {
    this.server = server;
    this.counting = Db.source(server.jdbcUrl());
  }

  static CountedServer start() {
    PostgresServer.Builder builder = PostgresServer.builder();
    BestSettings.WORKFLOW_POSTGRES.forEach(builder::setting);
    PostgresServer server = builder.start();
    try {
      CountedServer started = new CountedServer(server);
      Db.execute(started.counting, "create extension pg_stat_statements");
      return started;
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
  }

  /** The contenders' database. */
  String url() {
    return server.jdbcUrl(DATABASE);
  }

  DataSource database() {
    return Db.source(url());
  }

  /** A database that holds the {@link EntryTable} alone. */
  void clear() {
    Db.execute(
        counting,
        "drop database if exists %s with (force)".formatted(DATABASE),
        "create database " + DATABASE);
    EntryTable.create(database());
  }

  /**
   * What the server has counted.
   *
   * @param statements as they were sent
   * @param commits those of transactions that only read included
   */
  record Counts(long statements, long commits, long forcedWrites) {}

  /** To be asked when no contender is connected. */
  Counts counts() {
    long forcedWrites = new ServerCounts(List.of(counting)).forcedWrites();
    return new Counts(Db.count(counting, STATEMENTS), Db.count(counting, COMMITS), forcedWrites);
  }

  /** What the database is on. */
  String fileSystem() {
    return Machine.fileSystem(Path.of(Db.text(counting, "show data_directory")));
  }

  @Override
  public void close() {
    server.close();
  }
}
