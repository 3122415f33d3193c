package dev.holdfast.cli.demo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The order service: {@code POST /orders?id=…&customer=…} places an order, and answers 200 when it
 * is placed, now or before, and 500 otherwise. Runs in a process of its own, to be killed; ends by
 * itself when the driver that started it is gone.
 */
public final class OrderService {
  private static final Logger log = LoggerFactory.getLogger(OrderService.class);
  private static final int THREADS = 32;

  private final Strategy strategy;

  private OrderService(Strategy strategy) {
    this.strategy = strategy;
  }

  /**
   * Serves until it is killed.
   *
   * @param arguments as {@link Wiring.Address#arguments()} gives them
   */
  public static void main(String[] arguments) throws IOException {
    endWithDriver();
    log.info("starting");
    Wiring.Address address = Wiring.Address.parse(arguments);
    OrderService service = new OrderService(address.kind().open(address.wire()));
    HttpServer server =
        HttpServer.create(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), address.port()), 256);
    server.setExecutor(Executors.newFixedThreadPool(THREADS));
    server.createContext("/orders", service::handle);
    server.start();
    log.info("serving");
  }

  /** The driver holds the other end of standard input, and the kernel closes it when it dies. */
  private static void endWithDriver() {
    Thread watch =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // Nothing is ever written.
                }
              } catch (IOException e) {
                log.debug("the driver is gone", e);
              }
              Runtime.getRuntime().halt(1);
            },
            "driver-watch");
    watch.setDaemon(true);
    watch.start();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Map<String, String> query = query(exchange);
      String id = query.get("id");
      String customer = query.get("customer");
      if (id == null || customer == null) {
        answer(exchange, 400, "id and customer are needed");
        return;
      }
      try {
        Optional<Instant> committed = strategy.place(id, customer);
        answer(exchange, 200, committed.map(Timing::micros).map(String::valueOf).orElse(""));
      } catch (SQLException | Strategy.MessageNotSent | RuntimeException e) {
        log.warn("order {} was not placed", id, e);
        answer(exchange, 500, "not placed; try again");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        answer(exchange, 503, "shutting down");
      }
    }
  }

  private static Map<String, String> query(HttpExchange exchange) {
    Map<String, String> values = new HashMap<>();
    String query = exchange.getRequestURI().getQuery();
    if (query != null) {
      for (String pair : query.split("&")) {
        int equals = pair.indexOf('=');
        if (equals > 0) {
          values.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
      }
    }
    return values;
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) {
      exchange.getResponseBody().write(bytes);
    }
  }
}
