package dev.holdfast.cli.demo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.HoldfastException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The network between a service and the search engine, which loses answers, delays them, and
 * delivers requests when nobody waits for them any more: whoever sent one may have sent others
 * since, or be dead. Where the engine does not answer, the connection breaks. Thread-safe.
 */
final class SearchNetwork implements AutoCloseable {
  /** How long an answer is waited for by those who ask through it. */
  static final Duration TIMEOUT = Duration.ofMillis(300);

  /** Longer than that. */
  static final Duration LATE = Duration.ofMillis(800);

  private static final Logger log = LoggerFactory.getLogger(SearchNetwork.class);

  /** Of a dead engine, or one that is too busy; then nobody waits any more. */
  private static final Duration LONGEST = Duration.ofSeconds(10);

  private static final int THREADS = 64;

  private final URI engine;
  private final Supplier<Misfortune> misfortunes;
  private final HttpServer server;
  private final ExecutorService threads =
      Executors.newFixedThreadPool(
          THREADS,
          task -> {
            Thread thread = new Thread(task, "search-network");
            thread.setDaemon(true);
            return thread;
          });
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(TIMEOUT).build();
  private final AtomicInteger late = new AtomicInteger();

  private SearchNetwork(URI engine, Supplier<Misfortune> misfortunes, HttpServer server) {
    this.engine = engine;
    this.misfortunes = misfortunes;
    this.server = server;
  }

  /**
   * Begins to listen, on 127.0.0.1 and a free port.
   *
   * @param misfortunes of one request after the other
   */
  static SearchNetwork to(URI engine, Supplier<Misfortune> misfortunes) {
    HttpServer server;
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 256);
    } catch (IOException e) {
      throw new HoldfastException(
          "No port was found to reach the search engine through, so the demo was not begun: "
              + e.getMessage(),
          e);
    }
    SearchNetwork network = new SearchNetwork(engine, misfortunes, server);
    server.setExecutor(network.threads);
    server.createContext("/", network::handle);
    server.start();
    return network;
  }

  int port() {
    return server.getAddress().getPort();
  }

  /** How many requests the engine has answered so far that were delivered late. */
  int late() {
    return late.get();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      Misfortune misfortune = misfortunes.get();
      if (misfortune == Misfortune.EFFECT_LATE) {
        Timing.pause(LATE);
      }
      HttpResponse<byte[]> answer = forward(exchange, body);
      if (misfortune == Misfortune.EFFECT_LATE) {
        late.incrementAndGet();
      }
      if (misfortune == Misfortune.REPLY_LATE) {
        Timing.pause(LATE);
      }
      if (misfortune != Misfortune.REPLY_LOST) {
        pass(exchange, answer);
      }
    } catch (IOException e) {
      // Of the engine, or of whoever has asked and is gone.
      log.debug("{} broke", exchange.getRequestURI(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private HttpResponse<byte[]> forward(HttpExchange exchange, byte[] body)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(engine + exchange.getRequestURI().toString()))
            .timeout(LONGEST)
            .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body));
    String type = exchange.getRequestHeaders().getFirst("Content-Type");
    if (type != null) {
      request.header("Content-Type", type);
    }
    return http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
  }

  private static void pass(HttpExchange exchange, HttpResponse<byte[]> answer) throws IOException {
    answer
        .headers()
        .firstValue("Content-Type")
        .ifPresent(type -> exchange.getResponseHeaders().set("Content-Type", type));
    byte[] body = answer.body();
    exchange.sendResponseHeaders(answer.statusCode(), body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
