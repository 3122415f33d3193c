package dev.holdfast.cli.demo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The order service: {@code POST /orders?id=…&customer=…} places an order, and answers 200 when it
 * is placed, now or before, and 500 otherwise.
 */
final class OrderService {
  private static final Logger log = LoggerFactory.getLogger(OrderService.class);

  private final Strategy strategy;

  OrderService(Strategy strategy) {
    this.strategy = strategy;
  }

  void serve(HttpServer server) {
    server.createContext("/orders", this::handle);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Map<String, String> query = Queries.of(exchange);
      String id = query.get("id");
      String customer = query.get("customer");
      if (id == null || customer == null) {
        answer(exchange, 400, "id and customer are needed");
        return;
      }
      try {
        strategy.place(id, customer);
        answer(exchange, 200, "");
      } catch (SQLException | Strategy.MessageNotSent | RuntimeException e) {
        log.warn("order {} was not placed", id, e);
        answer(exchange, 500, "not placed; try again");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        answer(exchange, 503, "shutting down");
      }
    }
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) {
      exchange.getResponseBody().write(bytes);
    }
  }
}
