package dev.holdfast.examples.orders;

import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;

/** The servers of this module's tests, started once. */
final class ShopServers {
  static final PostgresServer POSTGRES = PostgresServer.start();
  static final KafkaServer KAFKA = KafkaServer.builder().relayed().start();
  static final OrdersLab LAB = lab();

  private ShopServers() {}

  private static OrdersLab lab() {
    KAFKA.createTopic("orders.placed", 1);
    return new OrdersLab(POSTGRES.jdbcUrl(), KafkaBroker.of(KAFKA));
  }
}
