package dev.holdfast.opensearch;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.internal.BoundedBody;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * OpenSearch, or a cluster of it behind one address. Immutable and thread-safe; what it is asked
 * with is never printed.
 */
public final class SearchEngine {
  private static final int ANSWER_AT_MOST = 32 << 20;

  private final URI uri;
  private final Map<String, String> headers;
  private final Duration timeout;
  private final HttpClient client;

  private SearchEngine(URI uri, Map<String, String> headers, Duration timeout, HttpClient client) {
    this.uri = uri;
    this.headers = headers;
    this.timeout = timeout;
    this.client = client;
  }

  /**
   * Where it is.
   *
   * @param uri {@code http://HOST:PORT} or {@code https://HOST:PORT}, without a user or password
   * @throws InvalidConfiguration when it cannot be used
   */
  public static SearchEngine at(URI uri) {
    String scheme = uri.getScheme();
    if (scheme == null
        || !(scheme.equals("http") || scheme.equals("https"))
        || uri.getHost() == null) {
      throw new InvalidConfiguration(
          "The address of a search engine must be http://HOST:PORT or https://HOST:PORT. Nothing was started.");
    }
    if (uri.getRawUserInfo() != null) {
      throw new InvalidConfiguration(
          "The address of the search engine at %s has a user or a password in it, which would be logged. Nothing was started. Use header(\"Authorization\", …)."
              .formatted(uri.getHost()));
    }
    String text = uri.toString();
    return new SearchEngine(
        URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text),
        Map.of(),
        Duration.ofSeconds(30),
        HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(Duration.ofSeconds(5))
            .build());
  }

  /** A header of every request, such as {@code Authorization}. */
  public SearchEngine header(String name, String value) {
    Map<String, String> more = new HashMap<>(headers);
    more.put(name, value);
    try {
      HttpRequest.newBuilder(uri).header(name, value);
    } catch (IllegalArgumentException e) {
      throw new InvalidConfiguration(
          "The header %s of the search engine cannot be sent. Nothing was started."
              .formatted(name));
    }
    return new SearchEngine(uri, Map.copyOf(more), timeout, client);
  }

  /** How long an answer is waited for; 100 ms to 10 min, default 30 s. */
  public SearchEngine timeout(Duration value) {
    if (value.compareTo(Duration.ofMillis(100)) < 0
        || value.compareTo(Duration.ofMinutes(10)) > 0) {
      throw new InvalidConfiguration(
          "The search engine's timeout is %s, and must be PT0.1S to PT10M. Nothing was started."
              .formatted(value));
    }
    return new SearchEngine(uri, headers, value, client);
  }

  /** Asks through a client of yours, for a proxy or certificates of your own; not closed. */
  public SearchEngine client(HttpClient value) {
    return new SearchEngine(uri, headers, timeout, value);
  }

  /** What it has answered. */
  record Answer(int status, byte[] body) {}

  /**
   * Asks once.
   *
   * @param body {@code null} for none
   * @throws IOException when there was no answer, or none in time; what was asked for may have
   *     happened
   */
  Answer ask(String method, String path, String contentType, byte @Nullable [] body)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(uri + path))
            .timeout(timeout)
            .header("Content-Type", contentType)
            .method(
                method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
    headers.forEach(request::header);
    CompletableFuture<HttpResponse<byte[]>> answer =
        client.sendAsync(request.build(), info -> new BoundedBody(ANSWER_AT_MOST));
    try {
      // The request's own timeout ends with the headers; this one covers the body as well.
      HttpResponse<byte[]> response = answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      return new Answer(response.statusCode(), response.body());
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw new IOException("there was no answer within " + timeout, e);
    } catch (ExecutionException e) {
      throw new IOException(
          e.getCause() instanceof ConnectException
              ? "there was no answer, since it cannot be connected to"
              : "there was no answer (" + e.getCause() + ")",
          e.getCause());
    } catch (InterruptedException e) {
      answer.cancel(true);
      throw e;
    }
  }

  @Override
  public String toString() {
    return uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort());
  }
}
