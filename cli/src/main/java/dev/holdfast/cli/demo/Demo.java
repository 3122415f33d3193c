package dev.holdfast.cli.demo;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.HoldfastException;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
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
    Wiring.Address address =
        new Wiring.Address(kind, freePort(), postgres.jdbcUrl(), kafka.bootstrapServers());
    try (HikariDataSource dataSource = Wiring.pool(address.jdbcUrl(), kind.schema(), 2);
        TopicReader reader = new TopicReader(kafka.bootstrapServers(), kind.topic(), PARTITIONS);
        ServiceProcess service =
            new ServiceProcess(address, directory.resolve(kind.id() + ".log"))) {
      try (Connection connection = dataSource.getConnection()) {
        Orders.createTables(connection, kind.schema());
      }
      return load(kind, address, dataSource, reader, service);
    }
  }

  private StrategyResult load(
      StrategyKind kind,
      Wiring.Address address,
      DataSource dataSource,
      TopicReader reader,
      ServiceProcess service)
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
            address.port(),
            operations,
            settings.seed(),
            ended -> {
              saboteur.ended(ended, self[0]);
              progress.at(kind.id(), ended, operations, service.kills());
            });
    self[0] = clients;
    progress.at(kind.id(), 0, operations, 0);
    service.start();
    awaitListening(address.port(), service);
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

  private void awaitListening(int port, ServiceProcess service) throws InterruptedException {
    boolean up =
        Timing.until(
            Duration.ofSeconds(60),
            Duration.ofMillis(20),
            () -> {
              try (var socket = new java.net.Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
              } catch (IOException e) {
                return false;
              }
            });
    if (!up) {
      throw new HoldfastException(
          "The order service did not start within 60 s, so the demo was ended. The end of its log:\n"
              + service.lastWords());
    }
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

  /**
   * A port below the range of outgoing connections: while its service is down, a client's
   * connection from that range could otherwise take it, and even connect to itself.
   */
  private static int freePort() {
    Random random = new Random();
    for (int attempt = 0; attempt < 100; attempt++) {
      int port = 15_000 + random.nextInt(15_000);
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (IOException e) {
        // Taken: try another.
      }
    }
    throw new HoldfastException(
        "No free port was found between 15000 and 30000, so the demo was not begun. End programs"
            + " that listen there.");
  }
}
