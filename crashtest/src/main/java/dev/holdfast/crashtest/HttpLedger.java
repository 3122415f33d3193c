package dev.holdfast.crashtest;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A service that does something irrevocable for each {@code POST}, {@code PUT}, {@code PATCH} or
 * {@code DELETE}, and keeps count of it by the request's {@code Idempotency-Key}: somebody's
 * payment service, for tests. It answers 201 when it has done it, and 400 to a request without a
 * key.
 *
 * <p>Safe for use by several threads. It listens on the loopback address only.
 *
 * @see <a href="https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/">The
 *     Idempotency-Key HTTP Header Field</a>
 */
public final class HttpLedger implements AutoCloseable {
  private static final String KEY = "Idempotency-Key";
  private static final Set<String> SAFE = Set.of("GET", "HEAD");

  private final HttpServer server;
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final boolean absorbing;
  private final Map<String, Integer> executions = new ConcurrentHashMap<>();

  private HttpLedger(HttpServer server, boolean absorbing) {
    this.server = server;
    this.absorbing = absorbing;
  }

  /** Starts a service that executes a repeat as it does anything else. */
  public static HttpLedger executingRepeats() {
    return start(false);
  }

  /** Starts a service that answers a repeat of a key, and does not execute it. */
  public static HttpLedger absorbingRepeats() {
    return start(true);
  }

  private static HttpLedger start(boolean absorbing) {
    try {
      HttpServer server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      HttpLedger ledger = new HttpLedger(server, absorbing);
      server.createContext("/", ledger::handle);
      server.setExecutor(ledger.executor);
      server.start();
      return ledger;
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot listen on the loopback address", e);
    }
  }

  /** Where it listens, ending in a slash. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
  }

  /** How often it was executed for a key. */
  public int executions(String key) {
    return executions.getOrDefault(key, 0);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      exchange.sendResponseHeaders(status(exchange), -1);
    }
  }

  private int status(HttpExchange exchange) {
    if (SAFE.contains(exchange.getRequestMethod())) {
      return 204;
    }
    String key = exchange.getRequestHeaders().getFirst(KEY);
    if (key == null) {
      return 400;
    }
    executions.merge(key, 1, (before, one) -> absorbing ? before : before + one);
    return 201;
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
