package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.boundary.Outcome;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the client says of each answer, and of none. */
final class IdempotentClientTest {
  private final Endpoint endpoint = new Endpoint();
  private final IdempotentClient client =
      IdempotentClient.over(TestServers.CLIENT)
          .attempts(3, Duration.ofMillis(300), Duration.ofSeconds(3));

  @AfterEach
  void end() {
    endpoint.close();
  }

  private static HttpRequest request(URI uri) {
    return HttpRequest.newBuilder(uri).POST(BodyPublishers.ofString("{}")).build();
  }

  private Attempted send() {
    return client.send(request(endpoint.uri()), "k\"1");
  }

  @Test
  void whatIsAnsweredWith2xxIsCommittedWithItsResponse() {
    endpoint.behaviour =
        (exchange, came) -> {
          exchange.getResponseHeaders().add("Location", "/x");
          return 201;
        };
    Attempted attempted = send();
    assertThat(attempted.outcome()).isInstanceOf(Outcome.Committed.class);
    assertThat(Objects.requireNonNull(attempted.response()).headers().firstValue("Location"))
        .hasValue("/x");
    assertThat(endpoint.came().get(0).headers()).containsEntry("Idempotency-Key", "\"k\\\"1\"");
  }

  @Test
  void aClientThatFollowsRedirectsIsRefused() {
    assertThatThrownBy(
            () ->
                IdempotentClient.over(
                    HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build()))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("follows redirects");
  }

  @Test
  void aRefusalIsRejectedOnlyIfNothingWasLeftOpenBefore() {
    for (int status : List.of(400, 401, 403, 404, 412, 422)) {
      endpoint.behaviour = (exchange, came) -> status;
      assertThat(send().outcome()).isInstanceOf(Outcome.Rejected.class);
      assertThat(client.sendAgain(request(endpoint.uri()), "k").outcome())
          .isInstanceOf(Outcome.Unknown.class);
      AtomicInteger requests = new AtomicInteger();
      endpoint.behaviour = (exchange, came) -> requests.incrementAndGet() == 1 ? 500 : status;
      assertThat(send().outcome()).isInstanceOf(Outcome.Unknown.class);
    }
  }

  @Test
  void whatIsInProgressOrFailsIsSentAgainUnderTheSameKeyAndUnknownInTheEnd() {
    for (int status : List.of(409, 408, 425, 429, 500, 503)) {
      endpoint.came().clear();
      endpoint.behaviour = (exchange, came) -> status;
      Attempted attempted = send();
      assertThat(attempted.outcome()).isInstanceOf(Outcome.Unknown.class);
      assertThat(attempted.attempts()).isEqualTo(3);
      assertThat(endpoint.came())
          .hasSize(3)
          .allSatisfy(
              came -> assertThat(came.headers().get("Idempotency-Key")).isEqualTo("\"k\\\"1\""));
      assertThat(((Outcome.Unknown) attempted.outcome()).reason())
          .contains(Integer.toString(status));
    }
  }

  @Test
  void aRetryThatIsAnsweredIsCommitted() {
    AtomicInteger requests = new AtomicInteger();
    endpoint.behaviour = (exchange, came) -> requests.incrementAndGet() < 3 ? 409 : 200;
    Attempted attempted = send();
    assertThat(attempted.outcome()).isInstanceOf(Outcome.Committed.class);
    assertThat(attempted.attempts()).isEqualTo(3);
  }

  @Test
  void retryAfterIsHonouredAndOneThatDoesNotFitEndsIt() {
    AtomicInteger requests = new AtomicInteger();
    endpoint.behaviour =
        (exchange, came) -> {
          exchange.getResponseHeaders().add("Retry-After", "1");
          return requests.incrementAndGet() == 1 ? 409 : 200;
        };
    long begun = System.nanoTime();
    assertThat(send().outcome()).isInstanceOf(Outcome.Committed.class);
    assertThat(System.nanoTime() - begun).isGreaterThan(900_000_000L);

    endpoint.behaviour =
        (exchange, came) -> {
          exchange.getResponseHeaders().add("Retry-After", "3600");
          return 429;
        };
    Attempted attempted = send();
    assertThat(attempted.outcome()).isInstanceOf(Outcome.Unknown.class);
    assertThat(attempted.attempts()).isEqualTo(1);
  }

  @Test
  void noAnswerIsUnknownAndTheTimeIsBounded() {
    byte[] half =
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".getBytes(StandardCharsets.UTF_8);
    byte[] large =
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n%s"
            .formatted("x".repeat(50))
            .getBytes(StandardCharsets.UTF_8);
    List<Endpoint.Raw> servers =
        List.of(
            new Endpoint.Raw("garbage\r\n\r\n".getBytes(StandardCharsets.UTF_8), true),
            new Endpoint.Raw(new byte[0], false),
            new Endpoint.Raw(new byte[0], true),
            new Endpoint.Raw(half, false),
            new Endpoint.Raw(large, true));
    List<URI> addresses = new ArrayList<>();
    servers.forEach(server -> addresses.add(server.uri()));
    Endpoint gone = new Endpoint();
    addresses.add(gone.uri());
    gone.close();
    for (URI address : addresses) {
      long begun = System.nanoTime();
      Attempted attempted = client.maxResponseBytes(20).send(request(address), "k");
      assertThat(attempted.outcome()).isInstanceOf(Outcome.Unknown.class);
      assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(5));
    }
    servers.forEach(Endpoint.Raw::close);
  }

  @Test
  void aRedirectIsUnknown() {
    endpoint.behaviour = (exchange, came) -> 302;
    assertThat(send().outcome()).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void anInterruptIsKeptAndTheOutcomeUnknown() {
    Thread.currentThread().interrupt();
    assertThat(send().outcome()).isInstanceOf(Outcome.Unknown.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void aKeyThatIsNoneIsRefusedBeforeAnythingIsSent() {
    for (String key : List.of("", "k".repeat(256), "ä", "a\nb")) {
      assertThatThrownBy(() -> client.send(request(endpoint.uri()), key))
          .isInstanceOf(InvalidConfiguration.class);
    }
    assertThat(endpoint.came()).isEmpty();
  }
}
