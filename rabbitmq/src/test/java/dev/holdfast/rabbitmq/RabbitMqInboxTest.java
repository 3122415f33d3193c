package dev.holdfast.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.ListenerStatus;
import dev.holdfast.inbox.TryAgainLater;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A listener on a real broker and a real database, either of which may go away. */
@Tag("rabbitmq")
final class RabbitMqInboxTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final String queue = TestServers.queue("shipping");
  private final String dead = TestServers.queue("dead");
  private final String table = TestServers.table("shipment");
  private final TcpRelay database = TcpRelay.to("127.0.0.1", TestServers.POSTGRES.port());
  private final HikariDataSource pool =
      TestServers.pool(
          "jdbc:postgresql://127.0.0.1:" + database.port() + "/postgres?user=postgres");
  private final Queue<AutoCloseable> opened = new ConcurrentLinkedQueue<>();
  private final Holdfast holdfast = Holdfast.on(pool).schema("listener").start();
  private final Inbox inbox = holdfast.inbox(TestServers.unique("consumer"), InboxSettings.DEFAULT);
  private final RabbitMqInboxSettings settings =
      RabbitMqInboxSettings.deadLetteringTo(RabbitMqRoute.toQueue(dead));

  @AfterEach
  void end() throws Exception {
    database.restore();
    for (AutoCloseable each : opened) {
      each.close();
    }
    holdfast.close();
    pool.close();
    database.close();
  }

  private static ConditionFactory eventually() {
    return org.awaitility.Awaitility.await().atMost(LONG);
  }

  private RabbitMqInbox listen(RabbitMqInboxSettings how, RabbitMqHandler handler) {
    return listen(TestServers.client(), how, handler);
  }

  private RabbitMqInbox listen(
      ConnectionFactory factory, RabbitMqInboxSettings how, RabbitMqHandler handler) {
    RabbitMqInbox listener = RabbitMqInbox.start(factory, queue, inbox, how, handler);
    opened.add(listener);
    return listener;
  }

  private static String body(com.rabbitmq.client.Delivery message) {
    return new String(message.getBody(), StandardCharsets.UTF_8);
  }

  /** Inserts what the message says, as often as it is called. */
  private RabbitMqHandler ship() {
    return (tx, message) -> tx.update("insert into " + table + " values (?)", body(message));
  }

  private void send(String... bodies) {
    TestServers.put(queue, "id-", bodies);
  }

  private void assertShipped(String... ids) {
    eventually().untilAsserted(() -> assertThat(TestServers.ids(table)).containsExactly(ids));
  }

  /** Once nobody holds anything back either. */
  private void assertNothingIsLeft(RabbitMqInbox listener) {
    listener.close();
    assertThat(TestServers.waiting(queue)).isZero();
  }

  @Test
  void aMessageIsHandledAndGoesFromTheQueue() {
    RabbitMqInbox listener = listen(settings, ship());
    send("a", "b");
    assertShipped("a", "b");
    eventually()
        .until(() -> listener.status().equals(new ListenerStatus(1, 2, 0, 0, 0, 0, 0, false)));
    assertNothingIsLeft(listener);
  }

  @Test
  @Attacks("listener.once")
  void aMessageThatItsSenderSendsTwiceIsHandledOnce() {
    RabbitMqInbox listener = listen(settings, ship());
    send("a", "a");
    eventually().until(() -> listener.status().repeated() == 1);
    assertShipped("a");
    assertNothingIsLeft(listener);
  }

  @Test
  void theOutboxOfOneServiceReachesTheInboxOfAnotherUnderOneOperation() {
    Queue<String> operations = new ConcurrentLinkedQueue<>();
    listen(
        settings,
        (tx, message) -> {
          operations.add(tx.operationId());
          ship().handle(tx, message);
        });
    try (Holdfast sender =
        Holdfast.on(pool)
            .schema("sender")
            .channel("to-rabbit", RabbitMq.to(TestServers.client(), ""), queue)
            .start()) {
      String operation =
          sender.transactReturning(
              tx -> {
                tx.publish(Message.of(queue, "k", "\"a\""));
                return tx.operationId();
              });
      assertShipped("\"a\"");
      assertThat(operations).containsExactly(operation);
    }
  }

  @Test
  @Attacks("listener.once")
  void aBrokerThatDiesBetweenTheCommitAndTheAcknowledgmentBringsTheMessageAgainForNothing() {
    // Lost on the way: the listener sends its acknowledgment, and the broker never has it.
    try (TcpRelay relay = TcpRelay.to("127.0.0.1", TestServers.Rabbit.SERVER.port())) {
      AtomicBoolean once = new AtomicBoolean();
      send("a");
      RabbitMqInbox listener =
          listen(
              TestServers.client(relay.port()),
              settings,
              (tx, message) -> {
                ship().handle(tx, message);
                if (once.compareAndSet(false, true)) {
                  // The commit follows; the way back to the broker is gone already.
                  TestServers.Rabbit.SERVER.kill();
                }
              });
      assertShipped("a");
      TestServers.Rabbit.SERVER.restart();
      eventually().until(() -> listener.status().repeated() == 1);
      assertThat(TestServers.ids(table)).containsExactly("a");
      assertNothingIsLeft(listener);
    }
  }

  @Test
  @Attacks("listener.atomicity")
  void aConnectionThatBreaksBeforeTheHandlerCommitsTakesNothingAlong() {
    try (TcpRelay relay = TcpRelay.to("127.0.0.1", TestServers.Rabbit.SERVER.port())) {
      AtomicBoolean once = new AtomicBoolean();
      send("a");
      RabbitMqInbox listener =
          listen(
              TestServers.client(relay.port()),
              settings,
              (tx, message) -> {
                ship().handle(tx, message);
                if (once.compareAndSet(false, true)) {
                  relay.cut();
                  relay.restore();
                  throw new IllegalStateException("and this attempt fails as well");
                }
              });
      eventually().until(() -> listener.status().handled() + listener.status().repeated() == 1);
      assertThat(TestServers.ids(table)).containsExactly("a");
      assertNothingIsLeft(listener);
    }
  }

  @Test
  void aListenerThatAcknowledgesByItselfLosesWhatItHadInHand() throws Exception {
    send("a");
    TestServers.onChannel(
        channel -> {
          CountDownLatch taken = new CountDownLatch(1);
          // As autoAck does it: the message is gone when it is handed over.
          channel.basicConsume(queue, true, (tag, message) -> taken.countDown(), tag -> {});
          return taken.await(20, TimeUnit.SECONDS);
        });
    RabbitMqInbox successor = listen(settings, ship());
    eventually().until(() -> successor.status().connected() == 1);
    send("b");
    assertShipped("b");
    assertThat(TestServers.ids(table)).as("the message of the dead one").doesNotContain("a");
  }

  @Test
  @Attacks("listener.outage")
  void whileTheDatabaseIsAwayTheMessageWaitsAndUsesUpNoAttempt() throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    Queue<Boolean> redelivered = new ConcurrentLinkedQueue<>();
    database.cut();
    send("a", "b");
    RabbitMqInbox listener =
        listen(
            settings.withAttempts(1),
            (tx, message) -> {
              redelivered.add(message.getEnvelope().isRedeliver());
              reached.countDown();
              ship().handle(tx, message);
            });
    eventually().until(() -> listener.status().connected() == 1);
    // One attempt alone waits for two seconds for a connection.
    assertThat(reached.await(5, TimeUnit.SECONDS)).isFalse();
    assertThat(listener.status()).isEqualTo(new ListenerStatus(1, 0, 0, 0, 0, 0, 0, false));
    database.restore();
    assertShipped("a", "b");
    assertThat(redelivered).containsExactly(false, false);
    assertThat(TestServers.waiting(dead)).isZero();
  }

  @Test
  @Attacks("listener.outage")
  void aHandlerThatAsksToBeTriedLaterUsesUpNoAttemptHoweverOften() {
    AtomicInteger runs = new AtomicInteger();
    send("a", "b");
    RabbitMqInbox listener =
        listen(
            settings.withAttempts(1),
            (tx, message) -> {
              if (runs.incrementAndGet() <= 5) {
                throw new TryAgainLater("the carrier does not answer");
              }
              ship().handle(tx, message);
            });
    assertShipped("a", "b");
    assertThat(runs).as("five times in vain, then one for each").hasValue(7);
    assertThat(listener.status().failed()).isZero();
  }

  @Test
  @Attacks({"listener.atomicity", "listener.dead-letter"})
  void aMessageWhoseHandlerAlwaysFailsGoesToTheDeadLettersAndTheOthersAreHandled() {
    AtomicInteger attempts = new AtomicInteger();
    send("poison", "b");
    RabbitMqInbox listener =
        listen(
            settings.withAttempts(3),
            (tx, message) -> {
              ship().handle(tx, message);
              if (body(message).equals("poison")) {
                attempts.incrementAndGet();
                throw new IllegalStateException("it is poison");
              }
            });
    assertShipped("b");
    eventually().until(() -> listener.status().givenUp() == 1);
    assertThat(attempts).hasValue(3);
    GetResponse letter = TestServers.drain(dead).get(0);
    assertThat(TestServers.body(letter)).isEqualTo("poison");
    assertThat(letter.getProps().getMessageId()).isEqualTo("id-poison");
    assertThat(letter.getProps().getHeaders().get("holdfast_reason")).hasToString("it is poison");
    assertThat(letter.getProps().getHeaders().get("holdfast_attempts")).isEqualTo(3);
    assertNothingIsLeft(listener);
  }

  @Test
  @Attacks("listener.dead-letter")
  void aRejectedMessageGoesToTheDeadLetterExchangeOfItsQueue() {
    String source =
        TestServers.queue(
            "rejecting", Map.of("x-dead-letter-exchange", "", "x-dead-letter-routing-key", dead));
    TestServers.put(source, "id-", "poison");
    RabbitMqInbox listener =
        RabbitMqInbox.start(
            TestServers.client(),
            source,
            inbox,
            RabbitMqInboxSettings.rejecting().withAttempts(1),
            (tx, message) -> {
              throw new IllegalStateException("it is poison");
            });
    opened.add(listener);
    eventually().until(() -> TestServers.waiting(dead) == 1);
    assertThat(TestServers.bodies(dead)).containsExactly("poison");
  }

  @Test
  @Attacks("listener.dead-letter")
  void aMessageThatIsGivenUpStaysWhereItIsAsLongAsNoQueueGetsItThere() {
    send("poison");
    String missing = TestServers.unique("not-declared");
    RabbitMqInbox listener =
        listen(
            RabbitMqInboxSettings.deadLetteringTo(RabbitMqRoute.toQueue(missing)).withAttempts(1),
            (tx, message) -> {
              throw new IllegalStateException("it is poison");
            });
    eventually().until(() -> listener.status().failed() >= 2);
    assertThat(listener.status().givenUp()).isZero();
    TestServers.onChannel(channel -> channel.queueDeclare(missing, true, false, false, Map.of()));
    eventually().until(() -> listener.status().givenUp() == 1);
    assertThat(TestServers.bodies(missing)).containsExactly("poison");
  }

  @Test
  @Attacks("listener.dead-letter")
  void aMessageWithoutAnIdIsGivenUpAtOnceAndSaysWhatToDo() {
    RabbitMqInbox listener = listen(settings, ship());
    TestServers.put(queue, null, "nameless");
    eventually().until(() -> listener.status().givenUp() == 1);
    assertThat(TestServers.ids(table)).isEmpty();
    assertThat(TestServers.drain(dead).get(0).getProps().getHeaders().get("holdfast_reason"))
        .asString()
        .contains("Let its sender set the property");
    assertThat(listener.status().failed()).isEqualTo(1);
  }

  @Test
  @Attacks("listener.once")
  void severalThreadsHandleEachMessageOnce() {
    String[] bodies = IntStream.range(0, 200).mapToObj("m%03d"::formatted).toArray(String[]::new);
    Queue<String> threads = new ConcurrentLinkedQueue<>();
    RabbitMqInbox listener =
        listen(
            settings.withConcurrency(4).withPrefetch(5),
            (tx, message) -> {
              threads.add(Thread.currentThread().getName());
              ship().handle(tx, message);
            });
    eventually().until(() -> listener.status().connected() == 4);
    send(bodies);
    assertShipped(bodies);
    assertThat(threads.stream().distinct().toList()).hasSizeGreaterThan(1);
  }

  @Test
  void noMoreThanThePrefetchIsSentAhead() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    send("a", "b", "c", "d", "e");
    listen(
        settings.withPrefetch(2),
        (tx, message) -> {
          begun.countDown();
          await(mayEnd);
          ship().handle(tx, message);
        });
    begun.await();
    eventually().until(() -> TestServers.waiting(queue) == 3);
    mayEnd.countDown();
    assertShipped("a", "b", "c", "d", "e");
  }

  @Test
  void closingFinishesAndAcknowledgesWhatIsBeingHandled() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    RabbitMqInbox listener =
        listen(
            settings,
            (tx, message) -> {
              begun.countDown();
              await(mayEnd);
              ship().handle(tx, message);
            });
    send("a", "b");
    begun.await();
    Thread closing = new Thread(listener::close);
    closing.start();
    mayEnd.countDown();
    closing.join();
    assertThat(TestServers.ids(table)).containsExactly("a");
    assertThat(TestServers.bodies(queue)).as("given back").isEqualTo(List.of("b"));
    assertThat(listener.status().connected()).isZero();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
