package dev.holdfast.rabbitmq;

import com.rabbitmq.client.ConnectionFactory;

/** The entry point for RabbitMQ: {@code RabbitMq.to(factory, exchange)} is a channel's target. */
public final class RabbitMq {
  private RabbitMq() {}

  /**
   * Publishes to an exchange, with the topics of the messages as routing keys.
   *
   * @param connectionFactory with what is needed to log in, and TLS; copied here, and used without
   *     the client's own recovery of connections
   * @param exchange which has to exist; empty for the default one, which has queues as routing keys
   */
  public static RabbitMqTarget to(ConnectionFactory connectionFactory, String exchange) {
    return new RabbitMqTarget(RabbitMqTarget.Settings.of(connectionFactory, exchange));
  }
}
