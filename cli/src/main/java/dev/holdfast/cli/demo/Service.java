package dev.holdfast.cli.demo;

import com.sun.net.httpserver.HttpServer;
import java.util.Locale;

/** The services, each with a database of its own. */
enum Service {
  /** Takes orders, and says so to the other. */
  ORDERS,
  /** Makes a shipment of each order that it is told of. */
  SHIPPING,
  /** The payment provider, which is somebody else's. */
  PAYMENTS;

  /** How many processes it runs in. */
  int instances(StrategyKind kind) {
    return switch (this) {
      case ORDERS -> 2;
      case SHIPPING -> kind.shippingInstances();
      case PAYMENTS -> kind.takesPayments() ? 1 : 0;
    };
  }

  /** The name of its database. */
  String database(StrategyKind kind) {
    return label() + "_" + kind.id().replace('-', '_');
  }

  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Begins to work, in this process, which is one of its instances. */
  void open(StrategyKind kind, Wiring wiring, HttpServer server) {
    switch (this) {
      case ORDERS -> new OrderService(kind.openOrders(wiring)).serve(server);
      case SHIPPING -> kind.openShipping(wiring, server);
      case PAYMENTS ->
          new PaymentProvider(new Charges(wiring.dataSource()), Misfortune::any).serve(server);
    }
  }
}
