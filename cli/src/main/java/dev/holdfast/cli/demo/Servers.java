package dev.holdfast.cli.demo;

import dev.holdfast.devservices.KafkaServer;
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
 * The servers that the strategies need. Where there is a second one of PostgreSQL, the order
 * service reaches its databases through relays that can lose a reply.
 */
final class Servers implements AutoCloseable {
  /** Every request of both instances may be prepared at the same time. */
  private static final int PREPARED_TRANSACTIONS = 100;

  private final PostgresServer postgres;
  private @Nullable KafkaServer kafka;
  private @Nullable PostgresServer second;
  private @Nullable TcpRelay toPostgres;
  private @Nullable TcpRelay toSecond;

  private Servers(PostgresServer postgres) {
    this.postgres = postgres;
  }

  /**
   * @param data where they keep their data; {@code null} for a place that is deleted with them
   */
  static Servers start(List<StrategyKind> strategies, @Nullable Path data) {
    CompletableFuture<KafkaServer> starting =
        strategies.stream().allMatch(StrategyKind::hasLedger)
            ? null
            : CompletableFuture.supplyAsync(kafka(data));
    Servers servers = new Servers(postgres(data, "postgres").start());
    try {
      if (strategies.stream().anyMatch(StrategyKind::hasSecondServer)) {
        servers.startSecond(data);
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
    toPostgres = TcpRelay.to("127.0.0.1", postgres.port());
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

  /** Holds the ledgers, and the payment provider's databases. */
  PostgresServer second() {
    return Objects.requireNonNull(second, "no strategy needs a second server");
  }

  /**
   * What an instance of a service is told of them.
   *
   * @param peerPort where the service listens that it calls; 0 when it calls none
   */
  Wiring.Address address(Service service, StrategyKind kind, int port, int peerPort) {
    return new Wiring.Address(
        service,
        kind,
        port,
        peerPort,
        jdbcUrl(service, kind),
        kind.hasLedger() ? "" : kafka().bootstrapServers(),
        kind.hasLedger() ? through(toSecond, Ledger.database(kind)) : "");
  }

  private String jdbcUrl(Service service, StrategyKind kind) {
    String database = service.database(kind);
    return switch (service) {
      case ORDERS ->
          kind.hasSecondServer() ? through(toPostgres, database) : postgres.jdbcUrl(database);
      case SHIPPING -> postgres.jdbcUrl(database);
      case PAYMENTS -> second().jdbcUrl(database);
    };
  }

  private static String through(@Nullable TcpRelay relay, String database) {
    int port = Objects.requireNonNull(relay, "no strategy needs a second server").port();
    return "jdbc:postgresql://127.0.0.1:%d/%s?user=postgres".formatted(port, database);
  }

  /** The next thing that the order service asks of this server is done, and it is not told. */
  void loseReply(boolean ofLedger) {
    TcpRelay relay = ofLedger ? toSecond : toPostgres;
    Objects.requireNonNull(relay, "no strategy needs a second server").swallowNextReply();
  }

  @Override
  public void close() {
    try (postgres;
        PostgresServer other = second;
        KafkaServer broker = kafka;
        TcpRelay first = toPostgres;
        TcpRelay last = toSecond) {
      // Each is closed, also when another does not end.
    }
  }
}
