package dev.holdfast.crashtest.resource;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * HTTP services, as one process reaches them through a {@link HttpClient}. Every request but a
 * {@code GET}, {@code HEAD}, {@code OPTIONS} or {@code TRACE} is a commit point.
 *
 * <p>Plain HTTP goes through a relay, so that it can be cut and lose answers. HTTPS does not, as
 * the server's certificate would not fit: a crash lets what is under way arrive, as a real one may.
 */
public final class HttpResource extends HttpClient implements Fence {
  private static final Set<String> SAFE = Set.of("GET", "HEAD", "OPTIONS", "TRACE");
  private static final Duration ANSWER = Duration.ofSeconds(30);
  private static final int HTTP_PORT = 80;

  private final String name;
  private final Hook hook;
  private final HttpClient real;
  private final Map<String, RelayWire> wires = new ConcurrentHashMap<>();

  private HttpResource(String name, Hook hook, HttpClient real) {
    this.name = name;
    this.hook = hook;
    this.real = real;
  }

  /** Wraps a client, which may live as long as the JVM. */
  public static HttpResource of(String name, Hook hook, HttpClient real) {
    HttpResource resource = new HttpResource(name, hook, real);
    hook.fence(resource);
    return resource;
  }

  @Override
  public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
      throws IOException, InterruptedException {
    hook.check();
    Routed routed = route(request);
    Wire.Request<HttpResponse<T>, IOException> exchange =
        () -> {
          try {
            return real.send(routed.request(), handler);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("Interrupted during " + request);
          }
        };
    try {
      return SAFE.contains(request.method())
          ? routed.wire().request(exchange)
          : hook.commit(commit(request), new OverWire<>(routed.wire(), exchange));
    } catch (java.io.InterruptedIOException e) {
      if (Thread.interrupted()) {
        throw (InterruptedException) new InterruptedException(e.getMessage()).initCause(e);
      }
      throw e;
    } finally {
      hook.check();
    }
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, BodyHandler<T> handler) {
    return sendAsync(request, handler, null);
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request,
      BodyHandler<T> handler,
      @org.jspecify.annotations.Nullable PushPromiseHandler<T> pushes) {
    hook.check();
    Routed routed = route(request);
    Wire.Request<CompletableFuture<HttpResponse<T>>, RuntimeException> exchange =
        () -> told(real.sendAsync(routed.request(), handler, pushes));
    if (SAFE.contains(request.method())) {
      return exchange.run();
    }
    return hook.commit(
        commit(request),
        new DeferredAction<CompletableFuture<HttpResponse<T>>, RuntimeException>() {
          @Override
          public CompletableFuture<HttpResponse<T>> perform() {
            return exchange.run();
          }

          @Override
          public boolean awaitEffect(CompletableFuture<HttpResponse<T>> answer) {
            return isAnswered(answer);
          }

          @Override
          public CompletableFuture<HttpResponse<T>> withhold(Runnable onWaiting) {
            return new Withheld<>(onWaiting);
          }

          @Override
          public CompletableFuture<HttpResponse<T>> performLosingAnswer() {
            // The order to lose the next answer holds until there is one, or none.
            return routed
                .wire()
                .losingAnswer(
                    () -> {
                      CompletableFuture<HttpResponse<T>> answer = exchange.run();
                      isAnswered(answer);
                      return answer;
                    });
          }
        });
  }

  /** A future that the dead do not hear from. */
  private <T> CompletableFuture<T> told(CompletableFuture<T> real) {
    CompletableFuture<T> told = new CompletableFuture<>();
    real.whenComplete(
        (answer, failure) -> {
          if (hook.isDead()) {
            told.completeExceptionally(new IOException("The process has crashed."));
          } else if (failure != null) {
            told.completeExceptionally(failure);
          } else {
            told.complete(answer);
          }
        });
    return told;
  }

  private static boolean isAnswered(CompletableFuture<?> answer) {
    try {
      answer.get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (ExecutionException | TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private Commit commit(HttpRequest request) {
    // A path's segments with digits in them are ids, which differ from run to run.
    String path = request.uri().getRawPath().replaceAll("[^/]*[0-9][^/]*", "{}");
    String what = request.method() + " " + request.uri().getAuthority() + path;
    return new Commit(
        name, "request", request.method() + " " + path, List.of(new Change(what, Site.current())));
  }

  private record Routed(HttpRequest request, Wire wire) {}

  private Routed route(HttpRequest request) {
    URI uri = request.uri();
    if (!"http".equalsIgnoreCase(uri.getScheme())) {
      return new Routed(request, Wire.direct(name));
    }
    int port = uri.getPort() < 0 ? HTTP_PORT : uri.getPort();
    RelayWire wire =
        wires.computeIfAbsent(
            uri.getHost() + ":" + port, key -> new RelayWire(uri.getHost(), port));
    if (hook.isDead()) {
      wire.close();
      hook.check();
    }
    String authority = wire.host() + ":" + wire.port();
    URI relayed = URI.create(uri.toString().replaceFirst("//[^/?#]*", "//" + authority));
    return new Routed(HttpRequest.newBuilder(request, (n, v) -> true).uri(relayed).build(), wire);
  }

  @Override
  public void cut() {
    wires.values().forEach(RelayWire::cut);
  }

  @Override
  public void end() {
    wires.values().forEach(RelayWire::close);
  }

  @Override
  public void reopen() {
    // The next process has relays of its own.
  }

  @Override
  public void close() {
    end();
  }

  @Override
  public Optional<CookieHandler> cookieHandler() {
    return real.cookieHandler();
  }

  @Override
  public Optional<Duration> connectTimeout() {
    return real.connectTimeout();
  }

  @Override
  public Redirect followRedirects() {
    return real.followRedirects();
  }

  @Override
  public Optional<ProxySelector> proxy() {
    return real.proxy();
  }

  @Override
  public SSLContext sslContext() {
    return real.sslContext();
  }

  @Override
  public SSLParameters sslParameters() {
    return real.sslParameters();
  }

  @Override
  public Optional<Authenticator> authenticator() {
    return real.authenticator();
  }

  @Override
  public Version version() {
    return real.version();
  }

  @Override
  public Optional<Executor> executor() {
    return real.executor();
  }
}
