package dev.holdfast.cli.demo;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Holdfast;
import dev.holdfast.http.Answer;
import dev.holdfast.http.IdempotencySettings;
import dev.holdfast.http.IdempotentHandler;
import dev.holdfast.http.InvalidSignature;
import dev.holdfast.http.WebhookVerifier;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ships what a webhook says, once for each message, with the answer in the shipment's commit. */
final class WebhookReceiver {
  static final String PATH = "/shipments";

  private static final Logger log = LoggerFactory.getLogger(WebhookReceiver.class);

  private WebhookReceiver() {}

  static void serve(Holdfast holdfast, WebhookVerifier verifier, HttpServer server) {
    IdempotentHandler shipments =
        IdempotentHandler.of(
            holdfast,
            IdempotencySettings.of(StrategyKind.CONSUMER),
            (tx, request) -> {
              Shipments.ship(tx.connection(), OrderMessage.parse(request.asText()));
              return Answer.of(204);
            });
    server.createContext(PATH, shipments).getFilters().add(new OnlySigned(verifier));
  }

  /**
   * In front of the handler, not in it: an answer that it gives is kept under the message's key,
   * and whoever cannot sign must not be able to have one kept.
   */
  private static final class OnlySigned extends Filter {
    private static final int MAX_BYTES = 1 << 20;
    private final WebhookVerifier verifier;

    OnlySigned(WebhookVerifier verifier) {
      this.verifier = verifier;
    }

    @Override
    public String description() {
      return "Lets nobody pass but who shares the secret.";
    }

    @Override
    public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
      byte[] body = exchange.getRequestBody().readNBytes(MAX_BYTES);
      try {
        verifier.verify(exchange.getRequestHeaders()::getFirst, body);
      } catch (InvalidSignature e) {
        log.warn("refused: {}", e.getMessage());
        try (exchange) {
          exchange.sendResponseHeaders(401, -1);
        }
        return;
      }
      exchange.setStreams(new ByteArrayInputStream(body), null);
      chain.doFilter(exchange);
    }
  }
}
