package dev.holdfast.http;

import static dev.holdfast.http.TestServers.send;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.http.TestServers.Web;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** At the JDK's own server. */
final class IdempotentHandlerTest extends ReceiverContract {
  private final List<Web> webs = new ArrayList<>();

  @Override
  void start(IdempotencySettings settings) {
    webs.add(
        new Web(
            IdempotentHandler.of(
                holdfast, settings, (tx, request) -> answer(tx, request.asText()))));
  }

  @Override
  URI uri(String path) {
    return webs.get(0).uri(path);
  }

  @Override
  URI startAnother() {
    start(settings);
    return webs.get(1).uri("/");
  }

  @Override
  void stop() {
    webs.forEach(Web::close);
    webs.clear();
  }

  @Test
  void anotherMethodIsNotAllowed() {
    assertThat(send(HttpRequest.newBuilder(uri("/orders")).GET().build()).statusCode())
        .isEqualTo(405);
  }
}
