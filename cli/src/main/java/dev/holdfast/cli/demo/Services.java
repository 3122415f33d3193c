package dev.holdfast.cli.demo;

import java.nio.file.Path;
import java.util.Map;

/**
 * Both services of a strategy; of shipping there is none where messages, or a ledger's entries, are
 * counted.
 */
final class Services implements AutoCloseable {
  private final ServiceInstances orders;
  private final ServiceInstances shipping;

  /**
   * @param secret what the webhooks between them are signed with
   */
  Services(StrategyKind kind, Servers servers, String secret, Path logs) {
    Map<String, String> environment = Map.of(Wiring.SECRET, secret);
    this.shipping =
        new ServiceInstances(
            Service.SHIPPING,
            kind,
            port -> servers.address(Service.SHIPPING, kind, port, 0),
            environment,
            logs);
    int webhook = shipping.ports().stream().findFirst().orElse(0);
    this.orders =
        new ServiceInstances(
            Service.ORDERS,
            kind,
            port -> servers.address(Service.ORDERS, kind, port, webhook),
            environment,
            logs);
  }

  ServiceInstances orders() {
    return orders;
  }

  ServiceInstances shipping() {
    return shipping;
  }

  /** Returns when all instances listen. */
  void start() throws InterruptedException {
    shipping.start();
    orders.start();
  }

  /** Whether all instances listen. */
  boolean areUp() {
    return orders.areUp() && shipping.areUp();
  }

  int kills() {
    return orders.kills() + shipping.kills();
  }

  @Override
  public void close() {
    orders.close();
    shipping.close();
  }
}
