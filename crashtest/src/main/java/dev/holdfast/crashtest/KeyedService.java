package dev.holdfast.crashtest;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Somebody's service with a ledger, for {@link WorkflowConformance}. What it is asked to do is a
 * {@code POST} to {@code /kind/order} under an {@code Idempotency-Key}; a {@code DELETE} undoes it,
 * and a {@code GET} says whether it is there, 200 or 404. How careful it is depends on the kind:
 *
 * <ul>
 *   <li>{@link #KEPT}: a repeat of a key is answered, and what is undone before it came is never
 *       executed, 409.
 *   <li>{@link #LOOSE}: a repeat is executed again. Undoing bears repetition.
 *   <li>{@link #NAIVE}: a repeat is answered, and undone again.
 * </ul>
 *
 * Thread-safe. Listens on the loopback address only.
 */
final class KeyedService implements AutoCloseable {
  static final String KEPT = "kept-";
  static final String LOOSE = "loose-";
  static final String NAIVE = "naive-";

  private final HttpServer server;
  private final ExecutorService executor = Executors.newCachedThreadPool();

  /** By order, what was done for it, in the order in which it was. */
  private final Map<String, List<String>> executed = new TreeMap<>();

  private final Map<String, List<String>> undone = new TreeMap<>();
  private final Map<String, Integer> asked = new TreeMap<>();
  private final Set<String> keys = new HashSet<>();
  private final Set<String> undoneKeys = new HashSet<>();

  private KeyedService(HttpServer server) {
    this.server = server;
  }

  static KeyedService start() {
    try {
      HttpServer server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      KeyedService service = new KeyedService(server);
      server.createContext("/", service::handle);
      server.setExecutor(service.executor);
      server.start();
      return service;
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot listen on the loopback address", e);
    }
  }

  /** Where it listens, ending in a slash. */
  String uri() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/";
  }

  /** The kinds that were done for an order, repeats as well. */
  synchronized List<String> executed(String order) {
    return List.copyOf(executed.getOrDefault(order, List.of()));
  }

  /** The kinds that were undone for an order, repeats as well. */
  synchronized List<String> undone(String order) {
    return List.copyOf(undone.getOrDefault(order, List.of()));
  }

  /** How often it was asked what became of something for an order. */
  synchronized int asked(String order) {
    return asked.getOrDefault(order, 0);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      String[] path = exchange.getRequestURI().getPath().substring(1).split("/", 2);
      String key = exchange.getRequestHeaders().getFirst("Idempotency-Key");
      exchange.sendResponseHeaders(
          key == null || path.length < 2
              ? 400
              : status(exchange.getRequestMethod(), path[0], path[1], path[0] + "/" + key),
          -1);
    }
  }

  private synchronized int status(String method, String kind, String order, String key) {
    return switch (method) {
      case "GET" -> {
        asked.merge(order, 1, Integer::sum);
        yield keys.contains(key) ? 200 : 404;
      }
      case "POST" -> execute(kind, order, key);
      case "DELETE" -> undo(kind, order, key);
      default -> 405;
    };
  }

  private int execute(String kind, String order, String key) {
    boolean isNew = keys.add(key);
    if (kind.startsWith(KEPT) && undoneKeys.contains(key)) {
      return 409;
    }
    if (isNew || kind.startsWith(LOOSE)) {
      executed.computeIfAbsent(order, any -> new ArrayList<>()).add(kind);
    }
    return 201;
  }

  private int undo(String kind, String order, String key) {
    boolean isNew = undoneKeys.add(key);
    if (keys.contains(key) && (isNew || kind.startsWith(NAIVE))) {
      undone.computeIfAbsent(order, any -> new ArrayList<>()).add(kind);
    }
    return 204;
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
