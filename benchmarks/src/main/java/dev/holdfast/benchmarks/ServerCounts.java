package dev.holdfast.benchmarks;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;

/**
 * What PostgreSQL servers have counted since they started. To be asked when no contender is
 * connected: a session counts what it has done at its end.
 */
final class ServerCounts {
  private static final Duration QUIET_LIMIT = Duration.ofSeconds(30);
  private static final Duration SAMPLE = Duration.ofMillis(20);

  /** Background processes count their writes at least that often while there are any. */
  private static final Duration COUNTED_WITHIN = Duration.ofMillis(300);

  private static final String OTHERS =
      "select count(*) from pg_stat_activity"
          + " where backend_type = 'client backend' and pid <> pg_backend_pid()";
  private static final String FORCED_WRITES =
      "select coalesce(sum(fsyncs), 0)::bigint from pg_stat_io where object = 'wal'";

  private final List<DataSource> servers;

  /**
   * @param servers a database of each, which is asked
   */
  ServerCounts(List<DataSource> servers) {
    this.servers = List.copyOf(servers);
  }

  /** Forced writes of the logs of all, when nothing is added to them any more. */
  long forcedWrites() {
    long began = Doorbell.nanos();
    while (servers.stream().anyMatch(server -> Db.count(server, OTHERS) > 0)) {
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
    return servers.stream().mapToLong(server -> Db.count(server, FORCED_WRITES)).sum();
  }

  private static void pause(Duration time) {
    try {
      new Doorbell().await(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchmarkFailure("Interrupted between two runs", e);
    }
  }
}
