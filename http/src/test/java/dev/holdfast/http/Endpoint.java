package dev.holdfast.http;

import com.sun.net.httpserver.HttpExchange;
import dev.holdfast.http.TestServers.Web;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A receiver of webhooks that writes down what came, and misbehaves when told. */
final class Endpoint implements AutoCloseable {
  /** A request. */
  record Came(String path, Map<String, String> headers, String body) {}

  /** Decides the status; what is answered with 2xx counts as taken. */
  @FunctionalInterface
  interface Behaviour {
    int answer(HttpExchange exchange, Came came) throws IOException;
  }

  private final Web web;
  private final List<Came> came = new CopyOnWriteArrayList<>();
  private final Map<String, List<String>> taken = new ConcurrentHashMap<>();
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger mostUnderWay = new AtomicInteger();
  volatile Behaviour behaviour = (exchange, request) -> 204;

  Endpoint() {
    web = new Web(this::handle);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.sendResponseHeaders(answer(exchange), -1);
    }
  }

  /** Whoever has its answer may send the next one: until then it is under way. */
  private int answer(HttpExchange exchange) throws IOException {
    mostUnderWay.accumulateAndGet(underWay.incrementAndGet(), Math::max);
    try {
      Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, values.get(0)));
      Came request =
          new Came(
              exchange.getRequestURI().getPath(),
              headers,
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
      came.add(request);
      int status = behaviour.answer(exchange, request);
      if (status < 300) {
        taken
            .computeIfAbsent(headers.getOrDefault("ce-partitionkey", ""), k -> new ArrayList<>())
            .add(request.body());
      }
      return status;
    } finally {
      underWay.decrementAndGet();
    }
  }

  URI uri() {
    return web.uri("/hook");
  }

  int port() {
    return web.port();
  }

  List<Came> came() {
    return came;
  }

  List<String> taken(String key) {
    return List.copyOf(taken.getOrDefault(key, List.of()));
  }

  int mostUnderWay() {
    return mostUnderWay.get();
  }

  @Override
  public void close() {
    web.close();
  }

  /** A server that is none: answers each connection with these bytes, and closes it. */
  static final class Raw implements AutoCloseable {
    private final ServerSocket socket;
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    private final ExecutorService thread = Executors.newSingleThreadExecutor();

    Raw(byte[] answer, boolean closes) {
      try {
        socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      thread.execute(
          () -> {
            while (!socket.isClosed()) {
              try {
                Socket connection = socket.accept();
                open.add(connection);
                InputStream in = connection.getInputStream();
                in.read(new byte[1024]);
                OutputStream out = connection.getOutputStream();
                out.write(answer);
                out.flush();
                if (closes) {
                  connection.close();
                }
              } catch (IOException e) {
                // The other side has gone, or this one is closed.
              }
            }
          });
    }

    URI uri() {
      return URI.create("http://127.0.0.1:" + socket.getLocalPort() + "/hook");
    }

    @Override
    public void close() {
      try {
        socket.close();
        for (Socket connection : open) {
          connection.close();
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      thread.shutdownNow();
    }
  }
}
