package dev.holdfast.cli.demo;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.HoldfastException;
import dev.holdfast.devservices.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;

/** Runs strategies one after the other on the same servers, and counts. */
final class Demo {
  private static final int PARTITIONS = 4;
  private static final Duration LONGEST_SETTLING = Duration.ofSeconds(60);
  private static final Duration QUIET = Duration.ofSeconds(1);

  /**
   * A consumer that was started again has to join its group; an operation waits for locks, or for a
   * provider; a request is on its way to the search engine.
   */
  private static final Duration LONGER_QUIET = Duration.ofSeconds(3);

  private final Servers servers;
  private final DemoSettings settings;
  private final Path directory;
  private final Progress progress;
  private final String secret = secret();

  Demo(Servers servers, DemoSettings settings, Path directory, Progress progress) {
    this.servers = servers;
    this.settings = settings;
    this.directory = directory;
    this.progress = progress;
  }

  private static String secret() {
    byte[] bytes = new byte[32];
    new SecureRandom().nextBytes(bytes);
    return "whsec_" + Base64.getEncoder().encodeToString(bytes);
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
    try (HikariDataSource orders = database(Service.ORDERS, kind);
        Arrivals arrivals = arrivals(kind);
        Services services = new Services(kind, servers, secret, directory)) {
      return load(kind, orders, arrivals, services);
    }
  }

  private HikariDataSource database(Service service, StrategyKind kind) throws SQLException {
    return switch (service) {
      case ORDERS -> database(servers.postgres(), service.database(kind), tables(kind));
      case SHIPPING ->
          database(servers.postgres(), service.database(kind), Shipments::createTables);
      case PAYMENTS -> database(servers.second(), service.database(kind), Charges::createTables);
    };
  }

  private static Tables tables(StrategyKind kind) {
    if (kind.hasIndex()) {
      return Catalogue::createTables;
    }
    return kind.takesPayments() ? Checkouts::createTables : Orders::createTables;
  }

  private interface Tables {
    void create(Connection connection) throws SQLException;
  }

  private static HikariDataSource database(PostgresServer server, String name, Tables tables)
      throws SQLException {
    server.createDatabase(name);
    HikariDataSource dataSource = Wiring.pool(server.jdbcUrl(name), 2);
    try (Connection connection = dataSource.getConnection()) {
      tables.create(connection);
    }
    return dataSource;
  }

  private Arrivals arrivals(StrategyKind kind) throws SQLException {
    return switch (kind) {
      case DB_THEN_BROKER, BROKER_THEN_DB, OUTBOX -> topic(kind);
      case CONSUME_THEN_ACK, ACK_THEN_CONSUME ->
          new ShipmentReader(database(Service.SHIPPING, kind), topic(kind));
      case INBOX -> {
        servers.kafka().createTopic(kind.topic(), PARTITIONS);
        yield new ShipmentReader(database(Service.SHIPPING, kind), null);
      }
      case WEBHOOK -> new ShipmentReader(database(Service.SHIPPING, kind), null);
      case TWO_DATABASES_NAIVE, TWO_PHASE ->
          new LedgerReader(
              database(servers.second(), Ledger.database(kind), Ledger::createTables),
              kind.promisesZeros());
      case CHECKOUT_NAIVE ->
          new CheckoutReader(topic(kind), database(Service.PAYMENTS, kind), PlainStock.TABLES);
      case CHECKOUT ->
          new CheckoutReader(topic(kind), database(Service.PAYMENTS, kind), WithWorkflow.STOCK);
      case SEARCH_NAIVE -> {
        IndexReader index = index(kind);
        index.create();
        yield index;
      }
      case SEARCH -> {
        WithSearch.createIndex(servers.searchEngine().uri(), kind.index());
        yield index(kind);
      }
    };
  }

  private IndexReader index(StrategyKind kind) {
    return new IndexReader(
        servers.searchEngine().uri(), kind.index(), servers.searchNetwork()::late);
  }

  private TopicReader topic(StrategyKind kind) {
    servers.kafka().createTopic(kind.topic(), PARTITIONS);
    return new TopicReader(servers.kafka().bootstrapServers(), kind.topic(), PARTITIONS);
  }

  private StrategyResult load(
      StrategyKind kind, DataSource orders, Arrivals arrivals, Services services)
      throws InterruptedException, SQLException {
    int operations = settings.operations();
    boolean settled;
    double seconds;
    try (Saboteur saboteur =
        new Saboteur(
            FaultPlan.of(kind, operations, settings.kills(), settings.seed()),
            services,
            servers,
            Math.max(1, operations / 20))) {
      progress.at(kind.id(), 0, operations, 0);
      services.start();
      saboteur.watch(arrivals::seen);
      seconds = placeOrders(kind, services, saboteur);
      saboteur.awaitEnd();
      settled = settle(kind, orders, arrivals, services);
    }
    Map<Verdict.Order, Long> committed;
    Optional<CheckoutVerdict> checkouts;
    Optional<IndexVerdict> index;
    try (Connection connection = orders.getConnection()) {
      committed = committed(kind, connection);
      checkouts = arrivals.checkouts(connection);
      index = arrivals.index(connection);
    }
    index.ifPresent(found -> keepDifferences(kind, found));
    return new StrategyResult(
        kind,
        index
            .map(found -> found.verdict(operations))
            .orElse(Verdict.of(operations, committed.keySet(), arrivals.orderIds())),
        checkouts,
        index,
        services.kills(),
        operations / seconds,
        latency(committed, arrivals.firstSeenMicros()),
        settled);
  }

  /** The orders of which something is due to come, with when each was committed. */
  private static Map<Verdict.Order, Long> committed(StrategyKind kind, Connection connection)
      throws SQLException {
    if (kind.hasIndex()) {
      return Map.of();
    }
    return kind.takesPayments() ? Checkouts.confirmed(connection) : Orders.all(connection);
  }

  /** Beside the logs. The index itself is gone with its server. */
  private void keepDifferences(StrategyKind kind, IndexVerdict found) {
    if (!found.differences().isEmpty()) {
      try {
        Files.write(directory.resolve(kind.id() + "-differences.log"), found.differences());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Returns how many seconds it took. */
  private double placeOrders(StrategyKind kind, Services services, Saboteur saboteur)
      throws InterruptedException {
    int operations = settings.operations();
    Clients[] self = new Clients[1];
    Clients clients =
        new Clients(
            services.orders().ports(),
            operations,
            settings.seed(),
            ended -> {
              saboteur.ended(ended, self[0]);
              progress.at(kind.id(), ended, operations, services.kills());
            });
    self[0] = clients;
    Timing.Stopwatch load = Timing.start();
    try {
      clients.run();
    } catch (HoldfastException e) {
      // A server that did not come back is the cause then, and is told of instead.
      saboteur.awaitEnd();
      throw new HoldfastException(e.getMessage() + "\n" + services.orders().lastWords(), e);
    }
    return load.seconds();
  }

  /**
   * Everything answered; waits until nothing more comes, so that what is missing is missing, and
   * until those that were killed last have had the time to do again what they had done.
   */
  private static boolean settle(
      StrategyKind kind, DataSource orders, Arrivals arrivals, Services services)
      throws InterruptedException {
    boolean complete =
        Timing.until(
            LONGEST_SETTLING,
            Duration.ofMillis(200),
            () -> isSettled(kind, orders, arrivals) && services.areUp());
    int[] before = {-1};
    boolean quiet =
        Timing.until(
            LONGEST_SETTLING,
            kind.receives() || kind.losesReplies() ? LONGER_QUIET : QUIET,
            () -> {
              int seen = arrivals.seen();
              boolean same = before[0] == seen;
              before[0] = seen;
              return same;
            });
    // An operation whose client had gone may have been begun in the meantime, and left so.
    return complete && quiet && (!kind.losesReplies() || isSettled(kind, orders, arrivals));
  }

  private static boolean isSettled(StrategyKind kind, DataSource orders, Arrivals arrivals) {
    try (Connection connection = orders.getConnection()) {
      int placed = kind.hasIndex() ? Catalogue.changes(connection) : Orders.count(connection);
      return kind.isSent(orders) && arrivals.isComplete(placed);
    } catch (HoldfastException | SQLException e) {
      // The pool's connections are from before the database was killed: ask again.
      return false;
    }
  }

  private static Latency latency(
      Map<Verdict.Order, Long> committedMicros, Map<String, Long> seenMicros) {
    List<Long> micros = new ArrayList<>();
    committedMicros.forEach(
        (order, from) -> {
          Long seen = seenMicros.get(order.id());
          if (seen != null) {
            micros.add(Math.max(0, seen - from));
          }
        });
    return Latency.ofMicros(micros);
  }
}
