package dev.holdfast.cli.demo;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.sql.DataSource;

/**
 * What a service works with inside its process.
 *
 * @param dataSource its own database
 * @param topic where the messages go, when they go to the broker
 * @param member names the instance, also after it was started again
 * @param peer where the service listens that this one calls, or the search engine is reached
 * @param ledgerUrl the ledger's database; empty when there is none
 */
record Wiring(
    DataSource dataSource,
    String bootstrapServers,
    String topic,
    String member,
    URI peer,
    String ledgerUrl) {

  /** In the environment of a process: other users can read its command line. */
  static final String SECRET = "HOLDFAST_DEMO_WEBHOOK_SECRET";

  private static final int CONNECTIONS = 24;

  /**
   * Where an instance of a service finds its servers, as it travels on a command line.
   *
   * @param port where it listens itself
   * @param peerPort where the service listens that this one calls, or the search engine is reached;
   *     0 when it calls none
   * @param bootstrapServers empty when there is no broker
   * @param ledgerUrl the ledger's database; empty when there is none
   */
  record Address(
      Service service,
      StrategyKind kind,
      int port,
      int peerPort,
      String jdbcUrl,
      String bootstrapServers,
      String ledgerUrl) {

    List<String> arguments() {
      return List.of(
          service.name(),
          kind.id(),
          Integer.toString(port),
          Integer.toString(peerPort),
          jdbcUrl,
          bootstrapServers,
          ledgerUrl);
    }

    static Address parse(String... arguments) {
      return new Address(
          Service.valueOf(arguments[0]),
          StrategyKind.byId(arguments[1]).orElseThrow(),
          Integer.parseInt(arguments[2]),
          Integer.parseInt(arguments[3]),
          arguments[4],
          arguments[5],
          arguments[6]);
    }

    Wiring wire() {
      return new Wiring(
          pool(jdbcUrl, CONNECTIONS),
          bootstrapServers,
          kind.topic(),
          service.label() + "-" + port,
          URI.create("http://127.0.0.1:" + peerPort),
          ledgerUrl);
    }
  }

  /** Connections to the ledger's database, of a pool that is made by this. */
  DataSource ledger() {
    return pool(ledgerUrl, CONNECTIONS);
  }

  Map<String, Object> producerConfig() {
    return Map.of("bootstrap.servers", bootstrapServers, "delivery.timeout.ms", 60_000);
  }

  /**
   * With a name for the instance: when it is started again it goes on with its partitions at once,
   * where otherwise the group would wait until its session has expired.
   */
  Map<String, Object> consumerConfig() {
    return Map.of(
        "bootstrap.servers",
        bootstrapServers,
        "group.instance.id",
        member,
        // By default partitions of a member that is gone wait 45 s for it.
        "session.timeout.ms",
        6_000,
        "heartbeat.interval.ms",
        1_000);
  }

  static String secret() {
    return Objects.requireNonNull(System.getenv(SECRET), SECRET);
  }

  static HikariDataSource pool(String jdbcUrl, int size) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(jdbcUrl);
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(2);
    config.setConnectionTimeout(2_000);
    config.setInitializationFailTimeout(-1);
    return new HikariDataSource(config);
  }
}
