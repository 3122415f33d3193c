package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SearchNetworkTest {
  private static final Duration BOUND = Duration.ofSeconds(30);

  private final List<String> received = new CopyOnWriteArrayList<>();
  private HttpServer engine;

  @BeforeEach
  void start() throws IOException {
    engine = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
    engine.createContext(
        "/",
        exchange -> {
          try (exchange) {
            String body =
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            received.add(
                "%s %s %s".formatted(exchange.getRequestMethod(), exchange.getRequestURI(), body));
            byte[] answer = "found".getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain");
            exchange.sendResponseHeaders(409, answer.length);
            exchange.getResponseBody().write(answer);
          }
        });
    engine.start();
  }

  @AfterEach
  void stop() {
    engine.stop(0);
  }

  private SearchNetwork network(Misfortune misfortune) {
    URI uri = URI.create("http://127.0.0.1:" + engine.getAddress().getPort());
    return SearchNetwork.to(uri, () -> misfortune);
  }

  private static HttpResponse<String> put(SearchNetwork network, Duration timeout)
      throws IOException, InterruptedException {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(
                    URI.create("http://127.0.0.1:%d/a/_doc/1?b=c".formatted(network.port())))
                .timeout(timeout)
                .PUT(HttpRequest.BodyPublishers.ofString("body"))
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void passesRequestsAndAnswersOnAsTheyAre() throws Exception {
    try (SearchNetwork network = network(Misfortune.NONE)) {
      HttpResponse<String> answer = put(network, BOUND);

      assertThat(answer.statusCode()).isEqualTo(409);
      assertThat(answer.body()).isEqualTo("found");
      assertThat(answer.headers().firstValue("Content-Type")).contains("text/plain");
      assertThat(received).containsExactly("PUT /a/_doc/1?b=c body");
      assertThat(network.late()).isZero();
    }
  }

  @Test
  void aLostReplyIsThatOfARequestThatWasDone() {
    try (SearchNetwork network = network(Misfortune.REPLY_LOST)) {
      assertThatThrownBy(() -> put(network, BOUND)).isInstanceOf(IOException.class);

      assertThat(received).containsExactly("PUT /a/_doc/1?b=c body");
    }
  }

  @Test
  void aLateRequestIsDeliveredThoughWhoeverHasSentItHasGivenUp() {
    try (SearchNetwork network = network(Misfortune.EFFECT_LATE)) {
      // More than once where a busy machine has not even sent the first within the time.
      await()
          .atMost(BOUND)
          .until(
              () -> {
                assertThatThrownBy(() -> put(network, SearchNetwork.TIMEOUT))
                    .isInstanceOf(HttpTimeoutException.class);
                return network.late() > 0;
              });

      assertThat(received).isNotEmpty().containsOnly("PUT /a/_doc/1?b=c body");
    }
  }

  @Test
  void theConnectionBreaksWhileTheEngineIsDown() {
    engine.stop(0);
    try (SearchNetwork network = network(Misfortune.NONE)) {
      assertThatThrownBy(() -> put(network, BOUND))
          .isInstanceOf(IOException.class)
          .isNotInstanceOf(HttpTimeoutException.class);
      assertThat(network.late()).isZero();
    }
  }
}
