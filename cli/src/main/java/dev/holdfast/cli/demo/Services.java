package dev.holdfast.cli.demo;

import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** The services of a strategy; of shipping, and of the payment provider, there may be none. */
final class Services implements AutoCloseable {
  private final ServiceInstances orders;
  private final ServiceInstances shipping;
  private final ServiceInstances payments;

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
    this.payments =
        new ServiceInstances(
            Service.PAYMENTS,
            kind,
            port -> servers.address(Service.PAYMENTS, kind, port, 0),
            environment,
            logs);
    int peer =
        Stream.of(shipping, payments)
            .flatMap(instances -> instances.ports().stream())
            .findFirst()
            .orElseGet(() -> kind.hasIndex() ? servers.searchNetwork().port() : 0);
    this.orders =
        new ServiceInstances(
            Service.ORDERS,
            kind,
            port -> servers.address(Service.ORDERS, kind, port, peer),
            environment,
            logs);
  }

  ServiceInstances orders() {
    return orders;
  }

  ServiceInstances shipping() {
    return shipping;
  }

  ServiceInstances payments() {
    return payments;
  }

  /** Returns when all instances listen. */
  void start() throws InterruptedException {
    shipping.start();
    payments.start();
    orders.start();
  }

  /** Whether all instances listen. */
  boolean areUp() {
    return orders.areUp() && shipping.areUp() && payments.areUp();
  }

  int kills() {
    return orders.kills() + shipping.kills() + payments.kills();
  }

  @Override
  public void close() {
    orders.close();
    shipping.close();
    payments.close();
  }
}
