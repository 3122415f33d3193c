package dev.holdfast.cli.demo;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.HoldfastException;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/** Runs strategies one after the other on the same servers, and counts. */
final class Demo {
  private static final int PARTITIONS = 4;
  private static final Duration LONGEST_SETTLING = Duration.ofSeconds(60);
  private static final Duration QUIET = Duration.ofSeconds(1);

  private final PostgresServer postgres;
  private final KafkaServer kafka;
  private final DemoSettings settings;
  private final Path directory;
  private final Progress progress;

  Demo(
      PostgresServer postgres,
      KafkaServer kafka,
      DemoSettings settings,
      Path directory,
      Progress progress) {
    this.postgres = postgres;
    this.kafka = kafka;
    this.settings = settings;
    this.directory = directory;
    this.progress = progress;
  }

  DemoReport run() throws InterruptedException, SQLException {
    List<StrategyResult> results = new ArrayList<>();
    for (StrategyKind kind : settings.strategies()) {
      results.add(show(kind));
    }
    progress.clear();
    return new DemoReport(settings.seed(), results);
  }

  private StrategyResult show(StrategyKind kind) throws InterruptedException, SQLException {
    kafka.createTopic(kind.topic(), PARTITIONS);
    try (HikariDataSource dataSource = Wiring.pool(postgres.jdbcUrl(), kind.schema(), 2);
        TopicReader reader = new TopicReader(kafka.bootstrapServers(), kind.topic(), PARTITIONS);
        ServiceInstances service =
            new ServiceInstances(kind, postgres.jdbcUrl(), kafka.bootstrapServers(), directory)) {
      try (Connection connection = dataSource.getConnection()) {
        Orders.createTables(connection, kind.schema());
      }
      return load(kind, dataSource, reader, service);
    }
  }

  private StrategyResult load(
      StrategyKind kind, DataSource dataSource, TopicReader reader, ServiceInstances service)
      throws InterruptedException, SQLException {
    int operations = settings.operations();
    Saboteur saboteur =
        new Saboteur(
            FaultPlan.of(operations, settings.kills(), settings.seed()),
            service,
            postgres,
            kafka,
            Math.max(1, operations / 20));
    Clients[] self = new Clients[1];
    Clients clients =
        new Clients(
            service.ports(),
            operations,
            settings.seed(),
            ended -> {
              saboteur.ended(ended, self[0]);
              progress.at(kind.id(), ended, operations, service.kills());
            });
    self[0] = clients;
    progress.at(kind.id(), 0, operations, 0);
    service.start();
    Timing.Stopwatch load = Timing.start();
    try {
      clients.run();
    } catch (HoldfastException e) {
      throw new HoldfastException(e.getMessage() + "\n" + service.lastWords(), e);
    }
    double seconds = load.seconds();
    saboteur.awaitEnd();
    boolean settled = settle(kind, dataSource, reader);
    Map<Verdict.Order, Instant> orders;
    try (Connection connection = dataSource.getConnection()) {
      orders = Orders.all(connection);
    }
    return new StrategyResult(
        kind,
        Verdict.of(operations, orders.keySet(), reader.readAll()),
        service.kills(),
        operations / seconds,
        latency(orders, clients, reader),
        settled);
  }

  /** Everything answered; waits until nothing more comes, so that what is missing is missing. */
  private static boolean settle(StrategyKind kind, DataSource dataSource, TopicReader reader)
      throws InterruptedException {
    boolean empty =
        Timing.until(
            LONGEST_SETTLING,
            Duration.ofMillis(200),
            () -> isSettled(kind, dataSource) && reader.isComplete());
    int[] before = {-1};
    boolean quiet =
        Timing.until(
            LONGEST_SETTLING,
            QUIET,
            () -> {
              boolean same = before[0] == reader.seen();
              before[0] = reader.seen();
              return same;
            });
    return empty && quiet;
  }

  private static boolean isSettled(StrategyKind kind, DataSource dataSource) {
    try {
      return kind.isSettled(dataSource);
    } catch (HoldfastException e) {
      // The pool's connections are from before the database was killed: ask again.
      return false;
    }
  }

  /** From when the client was told, or for want of that from when the row was written. */
  private static Latency latency(
      Map<Verdict.Order, Instant> orders, Clients clients, TopicReader reader) {
    Map<String, Long> micros = new HashMap<>();
    orders.forEach(
        (order, placed) -> {
          Long seen = reader.firstSeenMicros().get(order.id());
          if (seen != null) {
            Long committed = clients.committedMicros().get(order.id());
            long from = committed == null ? Timing.micros(placed) : committed;
            micros.put(order.id(), Math.max(0, seen - from));
          }
        });
    return Latency.ofMicros(micros.values());
  }
}
