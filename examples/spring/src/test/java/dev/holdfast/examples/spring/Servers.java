package dev.holdfast.examples.spring;

import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.util.List;

/** A PostgreSQL and a Kafka of one's own, for a test or a look. */
final class Servers implements AutoCloseable {
  private final PostgresServer postgres = PostgresServer.start();
  private final KafkaServer kafka = KafkaServer.start();

  Servers() {
    kafka.createTopic("orders.placed", 3);
  }

  /** What tells an application of them. */
  List<String> properties() {
    return List.of(
        "spring.datasource.url=" + postgres.jdbcUrl(),
        "spring.kafka.bootstrap-servers=" + kafka.bootstrapServers());
  }

  @Override
  public void close() {
    kafka.close();
    postgres.close();
  }
}
