package dev.holdfast.cli.demo;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.OpenSearchServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.devservices.TcpRelay;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The servers that the strategies need. Where replies are lost, the order service reaches its
 * databases through relays, and the search engine through a network, that can lose one.
 */
final class Servers implements AutoCloseable {
  /** Every request of both instances may be prepared at the same time. */
  private static final int PREPARED_TRANSACTIONS = 100;

  private static final String SEARCH_ENGINE = "org.opensearch.node.Node";

  private final PostgresServer postgres;
  private @Nullable KafkaServer kafka;
  private @Nullable PostgresServer second;
  private @Nullable TcpRelay toPostgres;
  private @Nullable TcpRelay toSecond;
  private @Nullable OpenSearchServer searchEngine;
  private @Nullable SearchNetwork searchNetwork;

  private Servers(PostgresServer postgres) {
    this.postgres = postgres;
  }

  /**
   * @param data where they keep their data; {@code null} for a place that is deleted with them
   */
  static Servers start(List<StrategyKind> strategies, @Nullable Path data) {
    boolean isSearched = strategies.stream().anyMatch(StrategyKind::hasIndex);
    if (isSearched) {
      requireSearchEngine();
    }
    CompletableFuture<KafkaServer> starting =
        strategies.stream().anyMatch(StrategyKind::hasBroker)
            ? CompletableFuture.supplyAsync(kafka(data))
            : null;
    Servers servers = new Servers(postgres(data, "postgres").start());
    try {
      if (strategies.stream().anyMatch(StrategyKind::hasSecondServer)) {
        servers.startSecond(data);
      }
      if (strategies.stream().anyMatch(StrategyKind::losesReplies)) {
        servers.toPostgres = TcpRelay.to("127.0.0.1", servers.postgres.port());
      }
      if (isSearched) {
        servers.startSearchEngine();
      }
      if (starting != null) {
        servers.kafka = join(starting);
      }
      return servers;
    } catch (RuntimeException e) {
      servers.close();
      throw e;
    }
  }

  private static Supplier<KafkaServer> kafka(@Nullable Path data) {
    KafkaServer.Builder builder = KafkaServer.builder();
    if (data != null) {
      builder.dataDirectory(data.resolve("kafka"));
    }
    return builder::start;
  }

  private static PostgresServer.Builder postgres(@Nullable Path data, String name) {
    PostgresServer.Builder builder =
        PostgresServer.builder().setting("track_commit_timestamp", "on");
    if (data != null) {
      builder.dataDirectory(data.resolve(name));
    }
    return builder;
  }

  private void startSecond(@Nullable Path data) {
    PostgresServer server =
        postgres(data, "second")
            .setting("max_prepared_transactions", Integer.toString(PREPARED_TRANSACTIONS))
            .start();
    second = server;
    toSecond = TcpRelay.to("127.0.0.1", server.port());
  }

  /** Before anything is started, and with what to do, rather than in the log of its process. */
  private static void requireSearchEngine() {
    try {
      Class.forName(SEARCH_ENGINE, false, Servers.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new InvalidConfiguration(
          "The strategies search-naive and search need OpenSearch, and its classes (org.opensearch:opensearch, org.opensearch.plugin:transport-netty4-client, org.apache.logging.log4j:log4j-core) are not on the class path. Nothing was started. The build gets them from Maven Central: build again, or name other strategies with --strategies.",
          e);
    }
  }

  private void startSearchEngine() {
    OpenSearchServer server = OpenSearchServer.start();
    searchEngine = server;
    searchNetwork = SearchNetwork.to(server.uri(), Misfortune::often);
  }

  private static KafkaServer join(CompletableFuture<KafkaServer> starting) {
    try {
      return starting.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /** Holds the services' own databases. */
  PostgresServer postgres() {
    return postgres;
  }

  KafkaServer kafka() {
    return Objects.requireNonNull(kafka, "no strategy needs a broker");
  }

  OpenSearchServer searchEngine() {
    return Objects.requireNonNull(searchEngine, "no strategy needs a search engine");
  }

  /** By which services reach it. */
  SearchNetwork searchNetwork() {
    return Objects.requireNonNull(searchNetwork, "no strategy needs a search engine");
  }

  /** Holds the ledgers, and the payment provider's databases. */
  PostgresServer second() {
    return Objects.requireNonNull(second, "no strategy needs a second server");
  }

  /**
   * What an instance of a service is told of them.
   *
   * @param peerPort where the service listens that it calls, or the search engine is reached; 0
   *     when it calls none
   */
  Wiring.Address address(Service service, StrategyKind kind, int port, int peerPort) {
    return new Wiring.Address(
        service,
        kind,
        port,
        peerPort,
        jdbcUrl(service, kind),
        kind.hasBroker() ? kafka().bootstrapServers() : "",
        kind.hasLedger() ? through(toSecond, Ledger.database(kind)) : "");
  }

  private String jdbcUrl(Service service, StrategyKind kind) {
    String database = service.database(kind);
    return switch (service) {
      case ORDERS ->
          kind.losesReplies() ? through(toPostgres, database) : postgres.jdbcUrl(database);
      case SHIPPING -> postgres.jdbcUrl(database);
      case PAYMENTS -> second().jdbcUrl(database);
    };
  }

  private static String through(@Nullable TcpRelay relay, String database) {
    int port = Objects.requireNonNull(relay, "no strategy loses its replies").port();
    return "jdbc:postgresql://127.0.0.1:%d/%s?user=postgres".formatted(port, database);
  }

  /** The next thing that the order service asks of this server is done, and it is not told. */
  void loseReply(boolean ofLedger) {
    TcpRelay relay = ofLedger ? toSecond : toPostgres;
    Objects.requireNonNull(relay, "no strategy loses its replies").swallowNextReply();
  }

  @Override
  public void close() {
    try (postgres;
        PostgresServer other = second;
        KafkaServer broker = kafka;
        TcpRelay first = toPostgres;
        TcpRelay last = toSecond;
        OpenSearchServer engine = searchEngine;
        SearchNetwork network = searchNetwork) {
      // Each is closed, also when another does not end.
    }
  }
}
