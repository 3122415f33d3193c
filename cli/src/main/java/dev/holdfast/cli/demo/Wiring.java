package dev.holdfast.cli.demo;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/**
 * What a strategy works with inside the order service.
 *
 * @param topic where the messages go
 */
record Wiring(DataSource dataSource, Map<String, Object> producerConfig, String topic) {

  /** Where an order service finds its servers, as it travels on a command line. */
  record Address(StrategyKind kind, int port, String jdbcUrl, String bootstrapServers) {

    List<String> arguments() {
      return List.of(kind.id(), Integer.toString(port), jdbcUrl, bootstrapServers);
    }

    static Address parse(String... arguments) {
      return new Address(
          StrategyKind.byId(arguments[0]).orElseThrow(),
          Integer.parseInt(arguments[1]),
          arguments[2],
          arguments[3]);
    }

    Wiring wire() {
      return new Wiring(
          pool(jdbcUrl, kind.schema(), 24),
          Map.of("bootstrap.servers", bootstrapServers, "delivery.timeout.ms", 60_000),
          kind.topic());
    }
  }

  static HikariDataSource pool(String jdbcUrl, String schema, int size) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(jdbcUrl);
    config.addDataSourceProperty("currentSchema", schema);
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(2);
    config.setConnectionTimeout(2_000);
    config.setInitializationFailTimeout(-1);
    return new HikariDataSource(config);
  }
}
