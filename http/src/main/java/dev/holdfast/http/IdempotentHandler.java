package dev.holdfast.http;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpPrincipal;
import dev.holdfast.Holdfast;
import dev.holdfast.Transaction;
import java.io.IOException;
import java.sql.SQLException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Executes each request with an {@code Idempotency-Key} once, at the JDK's own server ({@code
 * com.sun.net.httpserver}). The application's database work, the messages that it publishes and its
 * answer are one commit; the answer is sent after it. Thread-safe; a request is handled on the
 * server's thread.
 *
 * <p>What survives a crash: before the commit nothing, and the request is as new; after it
 * everything, and the request that comes again gets the answer. An answer of 5xx, 408, 425 or 429,
 * and an exception, roll back and are not stored. Every other answer is stored, a 4xx as well,
 * together with what was done for it.
 *
 * <p>A key counts for its principal, method and path. Where nobody is authenticated all share the
 * empty principal: whoever knows another's key gets the response to it. See {@link #principal}.
 */
public final class IdempotentHandler implements HttpHandler {
  private static final Logger log = LoggerFactory.getLogger(IdempotentHandler.class);

  /** What is done for a request. */
  @FunctionalInterface
  public interface Application {
    /**
     * May run again, after a serialization failure, a deadlock or a crash; nothing is left of the
     * run before.
     */
    Answer handle(Transaction tx, IncomingRequest request) throws SQLException;
  }

  private final Receiver receiver;
  private final Application application;
  private final Function<HttpExchange, String> principal;

  private IdempotentHandler(
      Receiver receiver, Application application, Function<HttpExchange, String> principal) {
    this.receiver = receiver;
    this.application = application;
    this.principal = principal;
  }

  /**
   * Makes the consumer known to the database.
   *
   * @throws dev.holdfast.StoreUnavailable when the database cannot be reached
   */
  public static IdempotentHandler of(
      Holdfast holdfast, IdempotencySettings settings, Application application) {
    return new IdempotentHandler(
        new Receiver(holdfast, settings), application, IdempotentHandler::authenticated);
  }

  /** Says whose key it is; by default the name that the server's authenticator found. */
  public IdempotentHandler principal(Function<HttpExchange, String> value) {
    return new IdempotentHandler(receiver, application, value);
  }

  private static String authenticated(HttpExchange exchange) {
    HttpPrincipal found = exchange.getPrincipal();
    return found == null ? "" : found.getName();
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      send(exchange, answer(exchange));
    }
  }

  private Answer answer(HttpExchange exchange) throws IOException {
    IdempotencySettings settings = receiver.settings();
    String method = exchange.getRequestMethod();
    if (!settings.methods().contains(method)) {
      return Answer.of(405).with("Allow", String.join(", ", new TreeSet<>(settings.methods())));
    }
    byte[] body = exchange.getRequestBody().readNBytes(settings.maxRequestBytes() + 1);
    if (body.length > settings.maxRequestBytes()) {
      return Problem.TOO_LARGE.answer(settings.maxRequestBytes() + ".").with("Connection", "close");
    }
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, List.copyOf(values)));
    IncomingRequest request =
        new IncomingRequest(
            method, exchange.getRequestURI(), Collections.unmodifiableMap(headers), body);
    Receiver.Call call =
        new Receiver.Call(
            principal.apply(exchange),
            method,
            request.uri().getRawPath(),
            request.uri().getRawQuery(),
            request.header("Content-Type"),
            Objects.requireNonNullElse(headers.get(IdempotencyKey.HEADER), List.of()),
            body);
    try {
      return receiver.answer(call, tx -> application.handle(tx, request));
    } catch (Receiver.Thrown e) {
      log.error("{}: the application failed", request, e.thrown());
      return Problem.FAILED.answer();
    } catch (RuntimeException e) {
      log.error("{} failed", request, e);
      return Problem.FAILED.answer();
    }
  }

  private static void send(HttpExchange exchange, Answer answer) throws IOException {
    Headers headers = exchange.getResponseHeaders();
    answer.headers().forEach((name, values) -> values.forEach(value -> headers.add(name, value)));
    byte[] body = answer.body();
    exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
    if (body.length > 0) {
      exchange.getResponseBody().write(body);
    }
  }
}
