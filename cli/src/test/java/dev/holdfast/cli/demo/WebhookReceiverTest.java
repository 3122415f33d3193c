package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.http.Webhook;
import dev.holdfast.http.WebhookVerifier;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WebhookReceiverTest {
  private static final String SECRET = "whsec_aG9sZGZhc3QtaG9sZGZhc3QtaG9sZGZhc3Q=";
  private static final String ORDER = new OrderMessage("order-1", "customer-1", 1).json();

  private final HikariDataSource dataSource = Wiring.pool(TestDatabases.create(), 6);
  private Holdfast holdfast;
  private HttpServer server;
  private URI uri;

  @BeforeEach
  void start() throws Exception {
    try (Connection connection = dataSource.getConnection()) {
      Shipments.createTables(connection);
    }
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
    uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + WebhookReceiver.PATH);
    holdfast =
        Holdfast.on(dataSource).channel("c", Webhook.to(uri).secrets(SECRET), "orders").start();
    WebhookReceiver.serve(holdfast, WebhookVerifier.of(SECRET), server);
    server.start();
  }

  @AfterEach
  void stop() {
    holdfast.close();
    server.stop(0);
    dataSource.close();
  }

  private int shipments() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select count(*) from demo_shipments")) {
      row.next();
      return row.getInt(1);
    }
  }

  @Test
  void shipsWhatTheOutboxSends() {
    holdfast.transact(tx -> tx.publish(Message.of("orders", "customer-1", ORDER)));

    Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> shipments() == 1);
  }

  @Test
  void refusesWhatIsNotSignedAndKeepsNoAnswerForIt() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .header("Idempotency-Key", "guessed")
            .POST(HttpRequest.BodyPublishers.ofString(ORDER))
            .build();

    for (int attempt = 0; attempt < 2; attempt++) {
      HttpResponse<String> response =
          HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(401);
      assertThat(response.headers().firstValue("Idempotency-Replayed")).isEmpty();
    }
    assertThat(shipments()).isZero();
  }
}
