package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.OutboxListener;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.ParkingStore;
import dev.holdfast.postgres.PostgresStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A relay that delivers to a webhook, which has no progress of its own. */
final class WebhookChannelTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  private final String schema = TestServers.unique("webhook");
  private final HikariDataSource pool = TestServers.pool(6);
  private final Endpoint endpoint = new Endpoint();
  private final List<Long> blocked = new CopyOnWriteArrayList<>();
  private @Nullable Holdfast holdfast;

  /** Writes down when the channel was blocked. */
  private final class Blocked implements OutboxListener {
    @Override
    public Message publishing(Message message) {
      return message;
    }

    @Override
    public void recorded(String operationId, List<Message> messages) {}

    @Override
    public Sending sending(String channel, List<OutboxRecord> messages) {
      return Sending.IGNORED;
    }

    @Override
    public void phase(String channel, RelayPhase from, RelayPhase to, @Nullable String problem) {
      if (to == RelayPhase.BLOCKED) {
        blocked.add(System.nanoTime());
      }
    }
  }

  @AfterEach
  void end() {
    if (holdfast != null) {
      holdfast.close();
    }
    endpoint.close();
    pool.close();
  }

  private Holdfast start(Webhook webhook, Duration longestRetry) {
    Holdfast started =
        Holdfast.on(pool)
            .schema(schema)
            .channel("hook", webhook, "orders")
            .relay(
                RelaySettings.DEFAULT
                    .withLeaseDuration(Duration.ofSeconds(2))
                    .withLongestRetry(longestRetry))
            .listener(new Blocked())
            .start();
    holdfast = started;
    return started;
  }

  private ParkingStore parking() {
    return PostgresStore.open(pool, schema).parking();
  }

  private static void publish(Holdfast holdfast, int from, int to) throws Exception {
    holdfast.transact(
        tx -> {
          for (int number = from; number < to; number++) {
            tx.publish(Message.of("orders", "k", Integer.toString(number)));
          }
        });
  }

  @Test
  @Attacks("outbox.recovery.parking")
  void aLongReplayThatIsCutShortGoesOnBehindWhatWasTaken() throws Exception {
    endpoint.behaviour = (exchange, came) -> 400;
    Holdfast started =
        start(Webhook.to(endpoint.uri()).retryFor(Duration.ZERO), Duration.ofMillis(100));
    publish(started, 0, 1_200);
    await().atMost(BOUND).until(() -> parking().list("hook", 2_000).size() == 1_200);

    // In the middle of the third part, each of the next answers is an outage.
    AtomicInteger answers = new AtomicInteger();
    endpoint.behaviour =
        (exchange, came) -> {
          int number = answers.incrementAndGet();
          return number > 1_050 && number <= 1_055 ? 503 : 204;
        };
    parking().orderUnpark("hook", parking().list("hook", 1).get(0).lane(), "test");
    await().atMost(BOUND).until(() -> endpoint.taken("k").size() >= 1_200);
    await().atMost(BOUND).until(() -> parking().list("hook", 1).isEmpty());
    assertThat(endpoint.taken("k"))
        .containsExactlyElementsOf(IntStream.range(0, 1_200).mapToObj(Integer::toString).toList());
  }

  @Test
  void theLongerAnEndpointTakesNothingTheRarerIsItTried() throws Exception {
    endpoint.behaviour =
        (exchange, came) -> {
          exchange.getResponseHeaders().set("Retry-After", "300");
          return 503;
        };
    Holdfast started =
        start(Webhook.to(endpoint.uri()).retryFor(Duration.ZERO), Duration.ofMinutes(1));
    publish(started, 0, 1);
    await().atMost(BOUND).until(() -> blocked.size() >= 6);
    // The fifth wait is at least half of 50 ms doubled four times.
    assertThat(Duration.ofNanos(blocked.get(5) - blocked.get(4)))
        .isGreaterThanOrEqualTo(Duration.ofMillis(400));
    assertThat(endpoint.came()).hasSize(1);
  }

  @Test
  @Attacks("outbox.recovery.parking")
  void aMessageThatIsAnsweredWithAnErrorForTooLongIsParkedAndItsChannelGoesOn() throws Exception {
    endpoint.behaviour = (exchange, came) -> came.body().equals("0") ? 500 : 204;
    Holdfast started =
        start(
            Webhook.to(endpoint.uri())
                .retryFor(Duration.ZERO)
                .parkErrorsAfter(Duration.ofMillis(300)),
            Duration.ofMillis(50));
    publish(started, 0, 2);
    started.transact(tx -> tx.publish(Message.of("orders", "other", "a")));
    await().atMost(BOUND).until(() -> parking().list("hook", 9).size() == 2);
    await().atMost(BOUND).until(() -> endpoint.taken("other").equals(List.of("a")));
    assertThat(endpoint.taken("k")).isEmpty();
    assertThat(endpoint.came().stream().filter(came -> came.body().equals("0")))
        .hasSizeGreaterThan(1);
  }
}
