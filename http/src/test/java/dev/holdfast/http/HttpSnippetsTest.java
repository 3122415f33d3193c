package dev.holdfast.http;

import static dev.holdfast.http.TestServers.post;
import static dev.holdfast.http.TestServers.send;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.http.TestServers.Web;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What the manual's page about HTTP shows, on real servers. The text between {@code //
 * snippet:NAME} and {@code // end} is what the page shows under that name; the module kafka's
 * DocsTest compares the two.
 */
final class HttpSnippetsTest {
  private static final String SECRET =
      "whsec_" + Base64.getEncoder().encodeToString("0123456789abcdef01234567".getBytes(UTF_8));
  private static final String OLD_SECRET =
      "whsec_" + Base64.getEncoder().encodeToString("another.secret..01234567".getBytes(UTF_8));

  private final HikariDataSource dataSource = TestServers.pool(12);
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void end() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
    dataSource.close();
  }

  private <T extends AutoCloseable> T opened(T resource) {
    open.add(resource);
    return resource;
  }

  private Holdfast holdfast(Webhook target) {
    return opened(
        Holdfast.on(dataSource)
            .schema(TestServers.unique("snippets"))
            .channel("billing", target, "orders.*")
            .start());
  }

  private Holdfast start(URI endpoint) {
    // snippet:webhook
    Holdfast holdfast =
        Holdfast.on(dataSource)
            .channel(
                "billing", Webhook.to(endpoint).secrets(SECRET, OLD_SECRET).lanes(4), "orders.*")
            .start();
    // end
    return opened(holdfast);
  }

  @Test
  void whatIsPublishedReachesAWebhookAndIsHandledOnce() {
    List<String> handled = new CopyOnWriteArrayList<>();
    AtomicInteger requests = new AtomicInteger();
    Holdfast receiving = holdfast(Webhook.to(URI.create("http://127.0.0.1:1/")));
    Inbox inbox = receiving.inbox("billing", InboxSettings.DEFAULT);
    Web web =
        opened(
            new Web(
                exchange -> {
                  try (exchange) {
                    boolean isFirst = requests.incrementAndGet() == 1;
                    int status = receive(exchange, inbox, handled);
                    // The first acknowledgment is lost.
                    exchange.sendResponseHeaders(isFirst ? 503 : status, -1);
                  }
                }));
    Holdfast sending = start(web.uri("/hook"));
    sending.transact(tx -> tx.publish(Message.of("orders.placed", "o1", "{\"n\":1}")));
    sending.transact(tx -> tx.publish(Message.of("orders.placed", "o1", "{\"n\":2}")));
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(handled).containsExactly("{\"n\":1}", "{\"n\":2}"));
    assertThat(requests.get()).isGreaterThanOrEqualTo(3);
  }

  private static int receive(HttpExchange exchange, Inbox inbox, List<String> handled)
      throws IOException {
    // snippet:webhook-receive
    byte[] body = exchange.getRequestBody().readNBytes(1 << 20);
    int status;
    try {
      WebhookVerifier verifier = WebhookVerifier.of(SECRET);
      Incoming message = verifier.verify(exchange.getRequestHeaders()::getFirst, body);
      inbox.once(
          message,
          tx -> {
            handled.add(new String(body, UTF_8));
            return Reply.NONE;
          });
      status = 204;
    } catch (InvalidSignature e) {
      status = 401;
    }
    // end
    return status;
  }

  @Test
  void aServerOfTheJdk() {
    TestServers.execute(dataSource, "drop table if exists jdk_order");
    TestServers.execute(dataSource, "create table jdk_order (json text)");
    Holdfast holdfast = holdfast(Webhook.to(URI.create("http://127.0.0.1:1/")));
    // snippet:idempotent-handler
    IdempotentHandler orders =
        IdempotentHandler.of(
            holdfast,
            IdempotencySettings.of("orders"),
            (tx, request) -> {
              tx.update("insert into jdk_order values (?)", request.asText());
              tx.publish(Message.of("orders.placed", "o1", request.asText()));
              return Answer.json(201, "{\"id\":\"o1\"}").with("Location", "/orders/o1");
            });
    // server.createContext("/orders", orders);
    // end
    Web web = opened(new Web(orders));
    for (int i = 0; i < 2; i++) {
      HttpResponse<String> response = send(post(web.uri("/orders"), "k1", "{}").build());
      assertThat(response.statusCode()).isEqualTo(201);
    }
    assertThat(TestServers.count(dataSource, "jdk_order")).isEqualTo(1);
    assertThat(committed(web.uri("/orders"))).isEqualTo("committed");
  }

  private static String committed(URI uri) {
    String key = "k1";
    // snippet:idempotent-client
    IdempotentClient client =
        IdempotentClient.over(HttpClient.newHttpClient())
            .attempts(5, Duration.ofSeconds(5), Duration.ofSeconds(30));
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString("{}"))
            .build();
    Outcome outcome = client.send(request, key).outcome();
    String result;
    if (outcome instanceof Outcome.Committed) {
      result = "committed";
    } else if (outcome instanceof Outcome.Rejected rejected) {
      result = "nothing happened: " + rejected.reason();
    } else {
      result = "call sendAgain(request, key) later";
    }
    // end
    return result;
  }

  @Test
  void aFilterIsMadeWithSettingsOfItsOwn() {
    Holdfast holdfast = holdfast(Webhook.to(URI.create("http://127.0.0.1:1/")));
    // snippet:idempotency-filter
    IdempotencyKeyFilter filter =
        IdempotencyKeyFilter.of(
            holdfast,
            IdempotencySettings.of("orders")
                .withInbox(InboxSettings.DEFAULT.withRetention(Duration.ofDays(14)))
                .withBounds(100, 64 * 1024, 64 * 1024));
    // In a servlet behind it: IdempotencyKeyFilter.transaction(request).update(…)
    // end
    assertThat(filter).isNotNull();
  }
}
