package dev.holdfast.cli.demo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A payment provider, reached over a network that loses and delays.
 *
 * <ul>
 *   <li>{@code POST /charges?order=…&cents=…&card=…} charges: 200 and the charge's number, 402 when
 *       the card is declined. With the header {@code Idempotency-Key} once for each key: a repeat
 *       gets the same answer, and 410 when the key is revoked.
 *   <li>{@code GET /charges?key=…} tells what stands under a key, by the same statuses; 404 when it
 *       was not seen yet.
 *   <li>{@code POST /refunds?key=…} gives back what is charged under a key, and revokes the key,
 *       seen or not. {@code POST /refunds?charge=…} gives a charge back. 204.
 * </ul>
 *
 * <p>Anything else, 500 among it, does not say what has happened. A charge that was not made within
 * {@link #LONGEST} of its arrival is not made at all.
 */
final class PaymentProvider {
  static final String CHARGES = "/charges";
  static final String REFUNDS = "/refunds";
  static final String KEY_HEADER = "Idempotency-Key";

  /** Longer than callers wait. */
  static final Duration LATE = Duration.ofMillis(900);

  static final Duration LONGEST = Duration.ofMillis(1_500);

  private static final Logger log = LoggerFactory.getLogger(PaymentProvider.class);

  private final Charges charges;
  private final Supplier<Misfortune> misfortunes;

  /**
   * @param misfortunes of one request after the other
   */
  PaymentProvider(Charges charges, Supplier<Misfortune> misfortunes) {
    this.charges = charges;
    this.misfortunes = misfortunes;
  }

  void serve(HttpServer server) {
    server.createContext(CHARGES, exchange -> handle(exchange, this::chargeOrFind));
    server.createContext(REFUNDS, exchange -> handle(exchange, this::refund));
  }

  private record Reply(int status, String body) {}

  private interface Handling {
    Reply handle(HttpExchange exchange, Timing.Stopwatch since) throws SQLException;
  }

  private void handle(HttpExchange exchange, Handling handling) throws IOException {
    Timing.Stopwatch since = Timing.start();
    try (exchange) {
      Misfortune misfortune = misfortunes.get();
      if (misfortune == Misfortune.EFFECT_LATE) {
        Timing.pause(LATE);
      }
      Reply reply;
      try {
        reply = handling.handle(exchange, since);
      } catch (SQLException e) {
        log.warn("{} has failed", exchange.getRequestURI().getPath(), e);
        reply = new Reply(500, "");
      }
      if (misfortune == Misfortune.REPLY_LATE) {
        Timing.pause(LATE);
      }
      if (misfortune != Misfortune.REPLY_LOST) {
        answer(exchange, reply);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Reply chargeOrFind(HttpExchange exchange, Timing.Stopwatch since) throws SQLException {
    Map<String, String> query = Queries.of(exchange);
    if (exchange.getRequestMethod().equals("GET")) {
      Optional<Charges.Result> found = charges.find(Queries.required(query, "key"));
      return found.map(PaymentProvider::reply).orElse(new Reply(404, ""));
    }
    @Nullable String key = exchange.getRequestHeaders().getFirst(KEY_HEADER);
    return reply(
        charges.charge(
            key,
            Queries.required(query, "order"),
            Long.parseLong(Queries.required(query, "cents")),
            Queries.required(query, "card"),
            () -> !since.hasPassed(LONGEST)));
  }

  private static Reply reply(Charges.Result result) {
    return switch (result.answer()) {
      case CHARGED -> new Reply(200, Long.toString(result.charge()));
      case DECLINED -> new Reply(402, "");
      case REVOKED -> new Reply(410, "");
    };
  }

  private Reply refund(HttpExchange exchange, Timing.Stopwatch since) throws SQLException {
    Map<String, String> query = Queries.of(exchange);
    @Nullable String key = query.get("key");
    if (key == null) {
      charges.refund(Long.parseLong(Queries.required(query, "charge")));
    } else {
      charges.refund(key);
    }
    return new Reply(204, "");
  }

  private static void answer(HttpExchange exchange, Reply reply) throws IOException {
    byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(reply.status(), body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }
}
