package dev.holdfast.examples.quarkus;

import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A PostgreSQL and a Kafka for the test, without containers. */
public class Servers implements QuarkusTestResourceLifecycleManager {
  private @Nullable PostgresServer postgres;
  private @Nullable KafkaServer kafka;

  @Override
  public Map<String, String> start() {
    PostgresServer database = PostgresServer.start();
    postgres = database;
    KafkaServer broker = KafkaServer.start();
    kafka = broker;
    broker.createTopic("orders.placed", 1);
    return Map.of(
        "quarkus.datasource.jdbc.url", database.jdbcUrl(),
        "orders.kafka.bootstrap-servers", broker.bootstrapServers());
  }

  @Override
  public void stop() {
    if (kafka != null) {
      kafka.close();
    }
    if (postgres != null) {
      postgres.close();
    }
  }
}
