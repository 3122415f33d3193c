package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Capability;
import dev.holdfast.guarantee.Clause;
import dev.holdfast.guarantee.Guarantee;
import dev.holdfast.guarantee.Guarantees;
import dev.holdfast.http.Endpoint.Came;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.postgres.PostgresBoundary;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A webhook at endpoints that behave, and at such as do not. */
final class WebhookTest {
  private static final AtomicLong POSITIONS = new AtomicLong();
  private static final String SECRET = secret((byte) 1);
  private static final String OLD_SECRET = secret((byte) 2);

  private final Endpoint endpoint = new Endpoint();
  private final List<TargetSession> sessions = new ArrayList<>();

  @AfterEach
  void end() {
    sessions.forEach(TargetSession::close);
    endpoint.close();
  }

  private static String secret(byte fill) {
    byte[] bytes = new byte[32];
    java.util.Arrays.fill(bytes, fill);
    return "whsec_" + Base64.getEncoder().encodeToString(bytes);
  }

  private Webhook webhook() {
    return Webhook.to(endpoint.uri())
        .timeout(Duration.ofMillis(500))
        .retryFor(Duration.ofMillis(200));
  }

  private TargetSession open(Target target) {
    TargetSession session = target.open(new Target.Context("c", "scope-c"));
    session.takeOver();
    sessions.add(session);
    return session;
  }

  private static OutboxRecord message(String key, String body) {
    return message(key, body, Map.of());
  }

  private static OutboxRecord message(String key, String body, Map<String, String> headers) {
    return new OutboxRecord(
        POSITIONS.incrementAndGet(),
        OutboxRecord.Kind.MESSAGE,
        UUID.randomUUID(),
        "orders",
        key,
        "order placed",
        "application/json; charset=utf-8",
        body.getBytes(StandardCharsets.UTF_8),
        headers,
        "op-1",
        1_000_000_000_123L);
  }

  private static String reason(Delivery delivery) {
    assertThat(delivery).isInstanceOf(Delivery.Unavailable.class);
    return ((Delivery.Unavailable) delivery).reason();
  }

  @Test
  void aMessageIsASignedCloudEventWithItsIdAsTheKey() {
    OutboxRecord message = message("ä b", "{\"a\":1}", Map.of("traceparent", "00-a-b-01"));
    Delivery delivery =
        open(webhook().secrets(SECRET, OLD_SECRET).header("Authorization", "Bearer t"))
            .send(List.of(message), "p");
    assertThat(delivery).isInstanceOf(Delivery.Done.class);

    Came came = endpoint.came().get(0);
    String id = message.id().toString();
    assertThat(came.body()).isEqualTo("{\"a\":1}");
    assertThat(came.headers())
        .containsEntry("ce-specversion", "1.0")
        .containsEntry("ce-id", id)
        .containsEntry("ce-source", "/holdfast/c")
        .containsEntry("ce-type", "order%20placed")
        .containsEntry("ce-time", "2001-09-09T01:46:40.123Z")
        .containsEntry("ce-partitionkey", "%C3%A4%20b")
        .containsEntry("ce-operationid", "op-1")
        .containsEntry("ce-topic", "orders")
        .containsEntry("Content-Type", "application/json; charset=utf-8")
        .containsEntry("traceparent", "00-a-b-01")
        .containsEntry("Authorization", "Bearer t")
        .containsEntry("Idempotency-Key", '"' + id + '"')
        .containsEntry("webhook-id", id);

    byte[] body = came.body().getBytes(StandardCharsets.UTF_8);
    for (String known : List.of(SECRET, OLD_SECRET)) {
      Incoming verified = WebhookVerifier.of(known).verify(came.headers()::get, body);
      assertThat(verified.id()).isEqualTo(id);
    }
  }

  @Test
  void aForgedTamperedOrOldWebhookIsRefused() {
    open(webhook().secrets(SECRET)).send(List.of(message("k", "{}")), "p");
    Came came = endpoint.came().get(0);
    byte[] body = came.body().getBytes(StandardCharsets.UTF_8);
    WebhookVerifier verifier = WebhookVerifier.of(SECRET);
    assertThatThrownBy(() -> WebhookVerifier.of(OLD_SECRET).verify(came.headers()::get, body))
        .isInstanceOf(InvalidSignature.class);
    assertThatThrownBy(() -> verifier.verify(came.headers()::get, new byte[] {1}))
        .isInstanceOf(InvalidSignature.class);
    assertThatThrownBy(() -> verifier.verify(name -> null, body))
        .isInstanceOf(InvalidSignature.class);
    Instant later = Instant.ofEpochSecond(Long.parseLong(came.headers().get("webhook-timestamp")));
    assertThatThrownBy(
            () -> verifier.clock(() -> later.plusSeconds(301)).verify(came.headers()::get, body))
        .hasMessageContaining("Check the clocks");
  }

  @Test
  void theSignatureIsThatOfTheSpecification() {
    // The specification's own example.
    Signing signing = Signing.with(List.of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    String signature =
        signing.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330L,
            "{\"test\": 2432232314}".getBytes(StandardCharsets.UTF_8));
    assertThat(signature).isEqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  }

  @Test
  void noSecretIsPrinted() {
    Webhook webhook =
        Webhook.to(URI.create("https://h.example/secret-path?token=t0ken"))
            .secrets(SECRET)
            .header("Authorization", "Bearer hidden");
    assertThat(webhook.toString() + webhook.description() + webhook.kind())
        .doesNotContain(SECRET, "hidden", "t0ken", "secret-path");
    assertThatThrownBy(() -> webhook.secrets("whsec_%%%not-base64"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageNotContaining("not-base64");
    assertThatThrownBy(() -> Webhook.to(URI.create("http://u:pa55@h/")))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageNotContaining("pa55");
    assertThatThrownBy(() -> Webhook.to(URI.create("ftp://h/")))
        .isInstanceOf(InvalidConfiguration.class);
  }

  @Test
  void keysGoInParallelAndEachInItsOrder() {
    List<OutboxRecord> messages = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      messages.add(message("key-" + i % 20, Integer.toString(i)));
    }
    endpoint.behaviour =
        (exchange, came) -> {
          java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
          return 200;
        };
    assertThat(open(webhook().lanes(4).timeout(Duration.ofSeconds(5))).send(messages, "p"))
        .isInstanceOf(Delivery.Done.class);
    for (int key = 0; key < 20; key++) {
      List<String> expected = new ArrayList<>();
      for (int i = key; i < 200; i += 20) {
        expected.add(Integer.toString(i));
      }
      assertThat(endpoint.taken("key-" + key)).isEqualTo(expected);
    }
    assertThat(endpoint.mostUnderWay()).isBetween(2, 4);
  }

  @Test
  void aMessageThatIsRefusedStopsItsKeyAlone() {
    OutboxRecord refused = message("a", "no");
    List<OutboxRecord> all =
        List.of(message("a", "1"), refused, message("a", "must wait"), message("b", "2"));
    for (int status : List.of(400, 401, 404, 410, 413, 422)) {
      endpoint.behaviour = (exchange, came) -> came.body().equals("no") ? status : 200;
      Delivery.Refused told = (Delivery.Refused) open(webhook()).send(all, "p");
      assertThat(told.refused()).containsOnlyKeys(refused.position());
      assertThat(told.refused().get(refused.position())).contains(Integer.toString(status));
      assertThat(told.delivered())
          .containsExactlyInAnyOrder(all.get(0).position(), all.get(3).position());
    }
    assertThat(endpoint.taken("a")).doesNotContain("must wait");
  }

  @Test
  void aHeaderThatCannotBeSentRefusesItsMessage() {
    OutboxRecord forging = message("a", "1", Map.of("webhook-signature", "v1,forged"));
    Delivery.Refused told =
        (Delivery.Refused) open(webhook()).send(List.of(forging, message("b", "2")), "p");
    assertThat(told.refused()).containsOnlyKeys(forging.position());
    assertThat(endpoint.taken("b")).containsExactly("2");
  }

  @Test
  void aConfiguredHeaderThatCannotBeSentIsRefusedAndNotPrinted() {
    for (String name : List.of("Webhook-Signature", "ce-id", "Host", "a b")) {
      assertThatThrownBy(() -> webhook().header(name, "v4lue"))
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageNotContaining("v4lue");
    }
    assertThatThrownBy(() -> webhook().header("Authorization", "v4lue\nX: y"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageNotContaining("v4lue");
  }

  @Test
  void aMessageDoesNotReplaceAConfiguredHeader() {
    OutboxRecord message = message("a", "1", Map.of("authorization", "Bearer of somebody else"));
    Delivery.Refused told =
        (Delivery.Refused)
            open(webhook().header("Authorization", "Bearer t")).send(List.of(message), "p");
    assertThat(told.refused()).containsOnlyKeys(message.position());
    assertThat(endpoint.came()).isEmpty();
  }

  @Test
  void ofTwoMessagesWithOneIdNeitherHidesTheOther() {
    OutboxRecord first = message("a", "1");
    OutboxRecord second =
        new OutboxRecord(
            POSITIONS.incrementAndGet(),
            OutboxRecord.Kind.MESSAGE,
            first.id(),
            "orders",
            "a",
            "order placed",
            "application/json",
            "2".getBytes(StandardCharsets.UTF_8),
            Map.of(),
            "op-1",
            1_000_000_000_123L);
    TargetSession session = open(webhook().retryFor(Duration.ZERO));
    endpoint.behaviour = (exchange, came) -> came.body().equals("2") ? 503 : 204;
    assertThat(session.send(List.of(first, second), "p")).isInstanceOf(Delivery.Unavailable.class);
    endpoint.behaviour = (exchange, came) -> 204;
    assertThat(session.send(List.of(first, second), "p")).isInstanceOf(Delivery.Done.class);
    assertThat(endpoint.taken("a")).containsExactly("1", "2");
  }

  @Test
  void aPassingFailureIsTriedAgainWithoutRepeatingTheOthers() {
    for (int status : List.of(500, 502, 408, 409, 425, 429)) {
      AtomicInteger failures = new AtomicInteger();
      String key = "a" + status;
      endpoint.behaviour =
          (exchange, came) ->
              came.body().equals("1") && failures.incrementAndGet() <= 2 ? status : 200;
      int before = endpoint.came().size();
      Delivery delivery =
          open(webhook().retryFor(Duration.ofSeconds(5)))
              .send(List.of(message(key, "1"), message(key, "2"), message("b" + key, "3")), "p");
      assertThat(delivery).as("%d", status).isInstanceOf(Delivery.Done.class);
      assertThat(endpoint.taken(key)).containsExactly("1", "2");
      assertThat(endpoint.came().size() - before).isEqualTo(5);
    }
  }

  @Test
  void whatIsNotTakenIsUnavailableAndAnotherSessionRepeatsNothingOfIt() {
    Webhook webhook = webhook();
    endpoint.behaviour = (exchange, came) -> came.body().equals("bad") ? 500 : 200;
    List<OutboxRecord> all =
        List.of(message("a", "1"), message("b", "bad"), message("b", "behind"), message("c", "2"));
    assertThat(reason(open(webhook).send(all, "p"))).contains("2 of 4").contains("500");

    endpoint.behaviour = (exchange, came) -> 200;
    assertThat(open(webhook).send(all, "p")).isInstanceOf(Delivery.Done.class);
    assertThat(endpoint.taken("a")).containsExactly("1");
    assertThat(endpoint.taken("b")).containsExactly("bad", "behind");
    assertThat(endpoint.taken("c")).containsExactly("2");

    // Finished, so that it is sent again when a person sets the channel back.
    assertThat(open(webhook).send(all, "p")).isInstanceOf(Delivery.Done.class);
    assertThat(endpoint.taken("a")).containsExactly("1", "1");
  }

  @Test
  void retryAfterIsHonouredInSecondsAndAsADate() {
    for (boolean date : List.of(false, true)) {
      AtomicInteger requests = new AtomicInteger();
      endpoint.behaviour =
          (exchange, came) -> {
            if (requests.incrementAndGet() > 1) {
              return 200;
            }
            String in2s =
                DateTimeFormatter.RFC_1123_DATE_TIME.format(
                    Instant.now().plusSeconds(2).atOffset(ZoneOffset.UTC));
            exchange.getResponseHeaders().add("Retry-After", date ? in2s : "1");
            return 429;
          };
      long begun = System.nanoTime();
      assertThat(
              open(webhook().retryFor(Duration.ofSeconds(5))).send(List.of(message("a", "1")), "p"))
          .isInstanceOf(Delivery.Done.class);
      assertThat(Duration.ofNanos(System.nanoTime() - begun))
          .isGreaterThan(Duration.ofMillis(900))
          .isLessThan(Duration.ofSeconds(4));
    }
  }

  @Test
  void aLongRetryAfterEndsTheTurnAndNothingIsSentBeforeItIsOver() {
    endpoint.behaviour =
        (exchange, came) -> {
          exchange.getResponseHeaders().add("Retry-After", "60");
          return 429;
        };
    Webhook webhook = webhook();
    List<OutboxRecord> all = List.of(message("a", "1"), message("b", "2"));
    assertThat(reason(open(webhook.lanes(1)).send(all, "p"))).contains("429");
    assertThat(endpoint.came()).hasSize(1);

    Webhook one = webhook.lanes(1);
    assertThat(reason(open(one).send(all, "p"))).contains("429");
    assertThat(endpoint.came()).hasSize(2);
    assertThat(reason(open(one).send(all, "p"))).contains("asked for a pause");
    assertThat(endpoint.came()).as("not asked meanwhile").hasSize(2);
  }

  @Test
  void redirectsAreNotFollowed() {
    try (Endpoint elsewhere = new Endpoint()) {
      endpoint.behaviour =
          (exchange, came) -> {
            exchange.getResponseHeaders().add("Location", elsewhere.uri().toString());
            return 307;
          };
      assertThat(reason(open(webhook()).send(List.of(message("a", "1")), "p"))).contains("307");
      assertThat(elsewhere.came()).isEmpty();
    }
  }

  @Test
  void garbageSilenceAResetAndNobodyAreUnavailableInTime() {
    byte[] garbage = "\u0000\u0001 this is no HTTP\r\n\r\n".getBytes(StandardCharsets.UTF_8);
    byte[] half =
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".getBytes(StandardCharsets.UTF_8);
    Set<Endpoint.Raw> servers =
        Set.of(
            new Endpoint.Raw(garbage, true),
            new Endpoint.Raw(new byte[0], false),
            new Endpoint.Raw(new byte[0], true),
            new Endpoint.Raw(half, false),
            new Endpoint.Raw(half, true));
    List<URI> addresses = new ArrayList<>();
    servers.forEach(server -> addresses.add(server.uri()));
    Endpoint gone = new Endpoint();
    addresses.add(gone.uri());
    gone.close();
    for (URI address : addresses) {
      Webhook webhook =
          Webhook.to(address)
              .timeout(Duration.ofMillis(300))
              .retryFor(Duration.ofMillis(300))
              .batchFor(Duration.ofSeconds(1));
      long begun = System.nanoTime();
      assertThat(reason(open(webhook).send(List.of(message("a", "1")), "p"))).contains("0 of 1");
      assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(4));
    }
    servers.forEach(Endpoint.Raw::close);
  }

  @Test
  void aHostThatFailsInARowIsLeftAloneAndThenProbed() {
    endpoint.behaviour = (exchange, came) -> 503;
    Webhook webhook = webhook().lanes(1).retryFor(Duration.ZERO);
    List<OutboxRecord> many = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      many.add(message("k" + i, "x"));
    }
    assertThat(reason(open(webhook).send(many, "p"))).contains("left alone");
    assertThat(endpoint.came()).hasSize(5);

    endpoint.behaviour = (exchange, came) -> 200;
    Delivery after = open(webhook.retryFor(Duration.ofSeconds(5))).send(many, "p");
    assertThat(after).as("a probe finds it well").isInstanceOf(Delivery.Done.class);
    assertThat(endpoint.came()).hasSize(55);
  }

  @Test
  void aSlowEndpointDoesNotHoldABatchForEver() {
    endpoint.behaviour =
        (exchange, came) -> {
          java.util.concurrent.locks.LockSupport.parkNanos(100_000_000);
          return 200;
        };
    Webhook webhook = webhook().lanes(1).batchFor(Duration.ofMillis(500));
    List<OutboxRecord> all = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      all.add(message("k", Integer.toString(i)));
    }
    int turns = 0;
    Delivery delivery = new Delivery.Unavailable("not yet");
    while (!(delivery instanceof Delivery.Done) && turns < 20) {
      turns++;
      delivery = open(webhook).send(all, "p");
    }
    assertThat(delivery).isInstanceOf(Delivery.Done.class);
    assertThat(turns).isGreaterThan(1);
    assertThat(endpoint.taken("k")).hasSize(12).doesNotHaveDuplicates();
  }

  @Test
  void whatItDeclaresIsWhatWasSaidOfTheEndpoint() {
    assertThat(webhook().capabilities()).containsExactly(Capability.ORDER_PER_KEY);
    assertThat(webhook().acknowledgment()).isEqualTo(Acknowledgment.ACCEPTED);
    assertThat(webhook().assumptions())
        .extracting("id")
        .containsExactlyInAnyOrder(
            "webhook.keeps-what-it-acknowledged",
            "webhook.deduplicates",
            "webhook.applies-in-order");
    Webhook known =
        webhook().receiverKeepsKeysFor(Duration.ofDays(7)).acknowledging(Acknowledgment.COMMITTED);
    assertThat(known.capabilities()).contains(Capability.IDEMPOTENCY_KEY);
    assertThat(known.window(Capability.IDEMPOTENCY_KEY)).isEqualTo(Optional.of(Duration.ofDays(7)));
    assertThat(known.acknowledgment()).isEqualTo(Acknowledgment.COMMITTED);
  }

  @Test
  void theSheetOfAWebhookSaysThatItRepeatsAndOnWhatItRests() {
    Guarantee sheet = Guarantees.outbox(new PostgresBoundary(), webhook());
    assertThat(sheet.clauses())
        .extracting(Clause::id)
        .contains("outbox.delivery.repeats", "outbox.order", "outbox.recovery.zombie-repeats")
        .doesNotContain("outbox.delivery.once");
    assertThat(sheet.clauses())
        .filteredOn(clause -> clause.id().equals("outbox.delivery.none-lost"))
        .flatExtracting(Clause::assumes)
        .extracting("id")
        .contains("webhook.keeps-what-it-acknowledged");
  }

  @Test
  void closingASessionEndsWhatItIsSending() throws Exception {
    CountDownLatch came = new CountDownLatch(1);
    CountDownLatch over = new CountDownLatch(1);
    endpoint.behaviour =
        (exchange, request) -> {
          came.countDown();
          try {
            over.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return 200;
        };
    TargetSession session = open(webhook().timeout(Duration.ofMinutes(1)));
    CompletableFuture<Delivery> sending =
        CompletableFuture.supplyAsync(
            () -> session.send(List.of(message("a", "1"), message("a", "2")), "p"));
    came.await();
    session.close();
    assertThat(sending.get(5, TimeUnit.SECONDS)).isInstanceOf(Delivery.Unavailable.class);
    assertThat(session.send(List.of(message("b", "3")), "p"))
        .isInstanceOf(Delivery.Unavailable.class);
    over.countDown();
  }

  @Test
  void aClientThatFollowsRedirectsIsRefused() {
    HttpClient following =
        HttpClient.newBuilder().followRedirects(HttpClient.Redirect.ALWAYS).build();
    assertThatThrownBy(() -> webhook().client(following)).isInstanceOf(InvalidConfiguration.class);
  }
}
