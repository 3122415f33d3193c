package dev.holdfast.rabbitmq;

import dev.holdfast.InvalidConfiguration;
import java.nio.charset.StandardCharsets;

/**
 * Where a message is published to. Immutable.
 *
 * @param exchange its name; empty for the default exchange, at which every queue is bound under its
 *     own name
 * @param routingKey by which the exchange finds queues; both have 255 bytes at most
 */
public record RabbitMqRoute(String exchange, String routingKey) {
  static final int LONGEST_BYTES = 255;

  public RabbitMqRoute {
    if (bytes(exchange) > LONGEST_BYTES || bytes(routingKey) > LONGEST_BYTES) {
      throw new InvalidConfiguration(
          "The exchange's name has %d bytes and the routing key %d, and each may have 255."
              .formatted(bytes(exchange), bytes(routingKey)));
    }
  }

  /** To one queue, through the default exchange. */
  public static RabbitMqRoute toQueue(String queue) {
    return new RabbitMqRoute("", queue);
  }

  static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  @Override
  public String toString() {
    return exchange.isEmpty() ? "queue " + routingKey : exchange + "/" + routingKey;
  }
}
