package dev.holdfast.cli.relay;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.Credentials;
import dev.holdfast.cli.Json;
import dev.holdfast.outbox.RelayStatus;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Answers {@code /health}, 200 or 503, from what this process knows, and {@code /metrics}, which
 * asks the database.
 */
final class HealthServer implements AutoCloseable {
  private static final int THREADS = 2;
  private static final String METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final Holdfast holdfast;
  private final PrometheusMeterRegistry registry;
  private final HttpServer server;
  private final ExecutorService threads;

  private HealthServer(Holdfast holdfast, PrometheusMeterRegistry registry, HttpServer server) {
    this.holdfast = holdfast;
    this.registry = registry;
    this.server = server;
    this.threads = Executors.newFixedThreadPool(THREADS, HealthServer::thread);
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "holdfast-health");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * @param registry what {@code /metrics} shows
   * @param port 0 for a free one
   */
  static HealthServer start(Holdfast holdfast, PrometheusMeterRegistry registry, int port) {
    try {
      HealthServer health =
          new HealthServer(holdfast, registry, HttpServer.create(new InetSocketAddress(port), 0));
      health.server.setExecutor(health.threads);
      health.server.createContext("/health", health::health);
      health.server.createContext("/metrics", health::metrics);
      health.server.start();
      return health;
    } catch (IOException e) {
      throw new InvalidConfiguration(
          "The health endpoint cannot listen on port %d (%s). The relay was ended. Choose another with --health-port."
              .formatted(port, e.getMessage()));
    }
  }

  int port() {
    return server.getAddress().getPort();
  }

  private void health(HttpExchange exchange) throws IOException {
    List<RelayStatus> channels = holdfast.status();
    boolean well = channels.stream().allMatch(HealthServer::isWell);
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("status", well ? "ok" : "failing");
    List<Object> rows = new ArrayList<>();
    for (RelayStatus channel : channels) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("channel", channel.channel());
      row.put("phase", channel.phase().name());
      row.put("delivered", channel.delivered());
      row.put("problem", channel.problem() == null ? null : Credentials.mask(channel.problem()));
      rows.add(row);
    }
    body.put("channels", rows);
    answer(exchange, well ? 200 : 503, "application/json", Json.text(body));
  }

  /**
   * Paused is what an operator wants; blocked and stopped is what nobody does. A relay that is
   * blocked tries again, and is in another phase meanwhile, but keeps its problem until it leads.
   */
  private static boolean isWell(RelayStatus channel) {
    return switch (channel.phase()) {
      case STANDBY, TAKING_OVER, LEADING -> channel.problem() == null;
      case PAUSED -> true;
      case BLOCKED, STOPPED, CLOSED -> false;
    };
  }

  private void metrics(HttpExchange exchange) throws IOException {
    answer(exchange, 200, METRICS_TYPE, registry.scrape());
  }

  private static void answer(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    try (exchange) {
      byte[] body = text.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdown();
  }
}
