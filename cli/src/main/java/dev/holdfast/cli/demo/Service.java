package dev.holdfast.cli.demo;

import com.sun.net.httpserver.HttpServer;
import java.util.Locale;

/** The two services, each with a database of its own. */
enum Service {
  /** Takes orders, and says so to the other. */
  ORDERS,
  /** Makes a shipment of each order that it is told of. */
  SHIPPING;

  /** How many processes it runs in. */
  int instances(StrategyKind kind) {
    return switch (this) {
      case ORDERS -> 2;
      case SHIPPING -> kind.shippingInstances();
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
    }
  }
}
