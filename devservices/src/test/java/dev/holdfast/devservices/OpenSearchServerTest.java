package dev.holdfast.devservices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class OpenSearchServerTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @SuppressWarnings("NullAway.Init")
  private static OpenSearchServer server;

  @BeforeAll
  static void startServer() {
    server = OpenSearchServer.start();
  }

  @AfterAll
  static void closeServer() {
    server.close();
  }

  private static HttpResponse<String> send(String method, String path, String body)
      throws IOException, InterruptedException {
    return CLIENT.send(
        HttpRequest.newBuilder(server.uri().resolve(path))
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body))
            .build(),
        BodyHandlers.ofString());
  }

  @Test
  void keepsWhatItHasAcknowledgedWhenItIsKilled() throws Exception {
    int port = server.port();
    assertThat(send("PUT", "/orders/_doc/o-1?version=7&version_type=external", "{\"n\":1}"))
        .extracting(HttpResponse::statusCode)
        .isEqualTo(201);
    server.kill();
    assertThatThrownBy(() -> send("GET", "/", "")).isInstanceOf(IOException.class);

    server.restart();

    assertThat(server.port()).isEqualTo(port);
    HttpResponse<String> found = send("GET", "/orders/_doc/o-1", "");
    assertThat(found.body()).contains("\"_version\":7", "{\"n\":1}");
  }

  @Test
  void refusesAnOlderVersion() throws Exception {
    send("PUT", "/versions/_doc/a?version=7&version_type=external", "{}");
    assertThat(send("PUT", "/versions/_doc/a?version=7&version_type=external", "{}").statusCode())
        .isEqualTo(409);
    assertThat(send("DELETE", "/versions/_doc/a?version=6&version_type=external", "").statusCode())
        .isEqualTo(409);
  }
}
