package dev.holdfast.http;

import static dev.holdfast.http.TestServers.post;
import static dev.holdfast.http.TestServers.send;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.Transaction;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.net.URI;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What both receivers do, each at a real server. */
abstract class ReceiverContract {
  private static final int POOL = 4;

  final String schema = TestServers.unique("http");
  final HikariDataSource pool = TestServers.pool(POOL);
  final AtomicInteger executed = new AtomicInteger();
  final IdempotencySettings settings =
      IdempotencySettings.of("orders").withBounds(60, 2_000, 1_000);

  private CountDownLatch began = new CountDownLatch(1);
  private CountDownLatch mayGoOn = new CountDownLatch(0);
  Holdfast holdfast;

  /** Starts a server that answers with {@link #answer}. */
  abstract void start(IdempotencySettings settings);

  abstract URI uri(String path);

  abstract void stop();

  @BeforeEach
  void begin() {
    Store store = PostgresStore.open(pool, schema);
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    TestServers.execute(pool, "create table " + schema + ".shop_order (body text)");
    holdfast = Holdfast.on(pool).schema(schema).schemaManagedElsewhere().start();
    start(settings);
  }

  @AfterEach
  void end() {
    mayGoOn.countDown();
    stop();
    holdfast.close();
    pool.close();
  }

  /** The application: what it answers is named by the body. */
  final Answer answer(Transaction tx, String body) throws SQLException {
    int number = executed.incrementAndGet();
    tx.update("insert into " + schema + ".shop_order values (?)", body);
    tx.publish(Message.of("orders", "k", "{}"));
    began.countDown();
    try {
      mayGoOn.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (body.contains("ends by call")) {
      tx.connection().commit();
    }
    if (body.contains("ends by sql")) {
      tx.update("commit");
    }
    if (body.contains("silent")) {
      Awaitility.await().atMost(Duration.ofSeconds(30)).until(this::nobodyIsIdleInATransaction);
    }
    if (body.contains("throw")) {
      throw new IllegalStateException("the application throws");
    }
    if (body.contains("long")) {
      return Answer.json(200, "x".repeat(1_001));
    }
    if (body.contains("status")) {
      return Answer.json(Integer.parseInt(body.replaceAll("\\D", "")), "{\"n\":" + number + "}");
    }
    return Answer.json(201, "{\"n\":" + number + "}")
        .with("Location", "/orders/" + number)
        .with("X-Rate", "a")
        .with("X-Rate", "b");
  }

  private boolean nobodyIsIdleInATransaction() {
    return TestServers.count(
            pool,
            "pg_stat_activity where state = 'idle in transaction' and query like '%%%s%%'"
                .formatted(schema))
        == 0;
  }

  private long orders() {
    return TestServers.count(pool, schema + ".shop_order");
  }

  private long messages() {
    return TestServers.count(pool, schema + ".message");
  }

  private HttpResponse<String> request(String key, String body) {
    return send(post(uri("/orders"), key, body).build());
  }

  private void assertNothingHappened() {
    assertThat(orders()).isZero();
    assertThat(messages()).isZero();
  }

  @Test
  @Attacks({"inbox.once", "inbox.answer", "receiver.once", "receiver.answer"})
  void aRepeatedRequestIsAnsweredAsTheFirstTimeAndNotExecuted() {
    HttpResponse<String> first = request("k1", "{}");
    HttpResponse<String> again = request("k1", "{}");

    assertThat(first.statusCode()).isEqualTo(201);
    assertThat(first.headers().firstValue("Idempotency-Replayed")).isEmpty();
    assertThat(again.headers().firstValue("Idempotency-Replayed")).hasValue("true");
    assertThat(again.statusCode()).isEqualTo(201);
    assertThat(again.body()).isEqualTo(first.body()).isEqualTo("{\"n\":1}");
    for (String header : List.of("Content-Type", "Location", "X-Rate")) {
      assertThat(again.headers().allValues(header))
          .as(header)
          .isNotEmpty()
          .isEqualTo(first.headers().allValues(header));
    }
    assertThat(orders()).isEqualTo(1);
    assertThat(messages()).isEqualTo(1);
  }

  @Test
  void withoutTheProtocolTheSameRequestIsExecutedAgain() {
    stop();
    start(settings.optional());
    send(post(uri("/orders"), null, "{}").build());
    send(post(uri("/orders"), null, "{}").build());
    assertThat(orders()).isEqualTo(2);
  }

  @Test
  @Attacks("receiver.scope")
  void aKeyCountsForItsPath() {
    request("k1", "{}");
    HttpResponse<String> other = send(post(uri("/others"), "k1", "{}").build());
    assertThat(other.headers().firstValue("Idempotency-Replayed")).isEmpty();
    assertThat(orders()).isEqualTo(2);
  }

  @Test
  void aQuotedKeyIsTheSameAsWithoutQuotes() {
    request("\"k1\"", "{}");
    assertThat(request("k1", "{}").headers().firstValue("Idempotency-Replayed")).hasValue("true");
  }

  @Test
  @Attacks("receiver.refusal")
  void anotherRequestUnderAKeyIsRefused() {
    request("k1", "{}");
    HttpResponse<String> other = request("k1", "{\"other\":1}");
    HttpResponse<String> query = send(post(uri("/orders?a=b"), "k1", "{}").build());
    for (HttpResponse<String> refused : List.of(other, query)) {
      assertThat(refused.statusCode()).isEqualTo(422);
      assertThat(refused.headers().firstValue("Content-Type")).hasValue("application/problem+json");
    }
    assertThat(orders()).isEqualTo(1);
  }

  @Test
  @Attacks("receiver.refusal")
  void aMissingOrMalformedKeyIsRefusedAndNothingHappens() {
    assertThat(send(post(uri("/orders"), null, "{}").build()).statusCode()).isEqualTo(400);
    for (String key : List.of("\"open", "", "\"\"", "a b", "a,b", "\"a\\x\"", "k".repeat(61))) {
      assertThat(request(key, "{}").statusCode()).as("<%s>", key).isEqualTo(400);
    }
    HttpResponse<String> two =
        send(post(uri("/orders"), "a", "{}").header("Idempotency-Key", "b").build());
    assertThat(two.statusCode()).isEqualTo(400);
    assertNothingHappened();
    assertThat(request("k".repeat(60), "{}").statusCode()).isEqualTo(201);
  }

  @Test
  @Attacks("receiver.refusal")
  void aBodyOverTheBoundIsRefusedAndNothingHappens() {
    assertThat(request("k1", "x".repeat(2_001)).statusCode()).isEqualTo(413);
    assertNothingHappened();
    assertThat(request("k1", "x".repeat(2_000)).statusCode()).isEqualTo(201);
  }

  @Test
  @Attacks("receiver.atomicity")
  void aResponseOverTheBoundRollsBack() {
    assertThat(request("k1", "long").statusCode()).isEqualTo(500);
    assertNothingHappened();
    assertThat(request("k1", "{}").statusCode()).as("the key is as new").isEqualTo(201);
  }

  @Test
  @Attacks({"inbox.atomicity", "receiver.atomicity"})
  void anApplicationThatThrowsLeavesNothingAndTheKeyIsAsNew() {
    assertThat(request("k1", "throw").statusCode()).isEqualTo(500);
    assertNothingHappened();
    HttpResponse<String> next = request("k1", "{}");
    assertThat(next.statusCode()).isEqualTo(201);
    assertThat(next.headers().firstValue("Idempotency-Replayed")).isEmpty();
  }

  @Test
  @Attacks({"inbox.atomicity", "receiver.atomicity"})
  void anApplicationThatEndsTheTransactionItselfIsRefusedAndTheKeyIsAsNew() {
    for (String body : List.of("ends by call", "ends by sql")) {
      assertThat(request("k1", body).statusCode()).isEqualTo(500);
      assertNothingHappened();
    }
    assertThat(request("k1", "{}").statusCode()).isEqualTo(201);
  }

  @Test
  @Attacks({"inbox.stuck", "receiver.atomicity"})
  void anApplicationThatLeavesItsTransactionAloneLosesItAndTheKeyIsAsNew() {
    stop();
    start(settings.withInbox(InboxSettings.DEFAULT.withHandlerSilence(Duration.ofSeconds(1))));
    assertThat(request("k1", "silent").statusCode()).isBetween(500, 503);
    assertNothingHappened();
    assertThat(request("k1", "{}").statusCode()).isEqualTo(201);
  }

  @Test
  @Attacks("receiver.atomicity")
  void aServerErrorAndAPassingRefusalRollBackAndAreNotStored() {
    for (int status : List.of(500, 503, 408, 425, 429)) {
      String body = "status " + status;
      assertThat(request("k1", body).statusCode()).isEqualTo(status);
      assertThat(request("k1", body).headers().firstValue("Idempotency-Replayed")).isEmpty();
    }
    assertNothingHappened();
  }

  @Test
  @Attacks("receiver.answer")
  void aDeliberateRefusalIsStored() {
    HttpResponse<String> first = request("k1", "status 402");
    HttpResponse<String> again = request("k1", "status 402");
    assertThat(again.statusCode()).isEqualTo(402);
    assertThat(again.body()).isEqualTo(first.body());
    assertThat(again.headers().firstValue("Idempotency-Replayed")).hasValue("true");
    assertThat(orders()).isEqualTo(1);
  }

  @Test
  @Attacks({"inbox.once", "receiver.once", "receiver.busy"})
  void ofAHundredDuplicatesAtOnceOneIsExecutedAndNoneWaitsForAConnection() throws Exception {
    mayGoOn = new CountDownLatch(1);
    ExecutorService senders = Executors.newFixedThreadPool(100);
    try {
      CompletableFuture<HttpResponse<String>> first =
          CompletableFuture.supplyAsync(() -> request("k1", "{}"), senders);
      began.await();
      AtomicInteger mostWaiting = new AtomicInteger();
      AtomicInteger mostActive = new AtomicInteger();
      List<CompletableFuture<HttpResponse<String>>> others =
          IntStream.range(0, 99)
              .mapToObj(i -> CompletableFuture.supplyAsync(() -> request("k1", "{}"), senders))
              .toList();
      CompletableFuture<Void> all =
          CompletableFuture.allOf(others.toArray(CompletableFuture[]::new));
      Awaitility.await()
          .pollInterval(java.time.Duration.ofMillis(1))
          .until(
              () -> {
                var bean = pool.getHikariPoolMXBean();
                mostWaiting.accumulateAndGet(bean.getThreadsAwaitingConnection(), Math::max);
                mostActive.accumulateAndGet(bean.getActiveConnections(), Math::max);
                return all.isDone();
              });
      for (CompletableFuture<HttpResponse<String>> other : others) {
        assertThat(other.join().statusCode()).isEqualTo(409);
        assertThat(other.join().headers().firstValue("Retry-After")).hasValue("1");
      }
      assertThat(mostWaiting.get()).as("threads waiting for a connection").isZero();
      assertThat(mostActive.get()).as("connections in use").isLessThanOrEqualTo(2);

      mayGoOn.countDown();
      assertThat(first.join().statusCode()).isEqualTo(201);
      assertThat(request("k1", "{}").body()).isEqualTo(first.join().body());
      assertThat(executed).hasValue(1);
      assertThat(orders()).isEqualTo(1);
    } finally {
      senders.shutdownNow();
      senders.awaitTermination(10, TimeUnit.SECONDS);
    }
  }

  @Test
  @Attacks({"receiver.once", "receiver.busy"})
  void whileAnotherProcessHandlesItADuplicateIsToldSoAtOnce() throws Exception {
    mayGoOn = new CountDownLatch(1);
    CompletableFuture<HttpResponse<String>> first =
        CompletableFuture.supplyAsync(() -> request("k1", "{}"));
    began.await();
    // Another process has its own set of keys, and its own pool.
    URI elsewhere = startAnother();
    List<Integer> answers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      answers.add(send(post(elsewhere.resolve("/orders"), "k1", "{}").build()).statusCode());
    }
    assertThat(answers).containsOnly(409);
    mayGoOn.countDown();
    assertThat(first.join().statusCode()).isEqualTo(201);
    HttpResponse<String> again = send(post(elsewhere.resolve("/orders"), "k1", "{}").build());
    assertThat(again.body()).isEqualTo(first.join().body());
    assertThat(executed).hasValue(1);
  }

  /** A second receiver of the same consumer, stopped with the first. */
  abstract URI startAnother();
}
