package dev.holdfast.jms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.ArtemisServer;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.ListenerStatus;
import dev.holdfast.inbox.TryAgainLater;
import jakarta.jms.BytesMessage;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.JMSProducer;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A listener on a real broker and a real database, either of which may go away. */
final class JmsInboxTest {
  private static final Duration LONG = Duration.ofSeconds(40);

  private final String queue = TestServers.unique("shipping");
  private final String table = TestServers.table("shipment");
  private final TcpRelay database = TcpRelay.to("127.0.0.1", TestServers.POSTGRES.port());
  private final HikariDataSource pool =
      TestServers.pool(
          "jdbc:postgresql://127.0.0.1:" + database.port() + "/postgres?user=postgres");
  private final Queue<AutoCloseable> opened = new ConcurrentLinkedQueue<>();
  private final Holdfast holdfast = begin();
  private Inbox inbox = holdfast.inbox("shipping", InboxSettings.DEFAULT);

  private Holdfast begin() {
    return Holdfast.on(pool).schema("listener").start();
  }

  @BeforeEach
  void fresh() {
    inbox = holdfast.inbox(TestServers.unique("consumer"), InboxSettings.DEFAULT);
  }

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
    return await().atMost(LONG);
  }

  private JmsInbox listen(JmsInboxSettings settings, JmsHandler handler) {
    return listen(TestServers.client(), settings, handler);
  }

  private JmsInbox listen(
      ConnectionFactory factory, JmsInboxSettings settings, JmsHandler handler) {
    JmsInbox listener =
        JmsInbox.start(factory, JmsDestination.queue(queue), inbox, settings, handler);
    opened.add(listener);
    return listener;
  }

  /** Inserts what the message says, as often as it is called. */
  private JmsHandler ship() {
    return (tx, message) ->
        tx.update("insert into " + table + " values (?)", TestServers.body(message));
  }

  private void send(String... bodies) {
    for (String body : bodies) {
      send(body, Map.of());
    }
  }

  private void send(String body, Map<String, String> properties) {
    try (JMSContext context = TestServers.client().createContext()) {
      JMSProducer producer = context.createProducer();
      properties.forEach(producer::setProperty);
      producer.send(context.createQueue(queue), body);
    }
  }

  private void assertShipped(String... ids) {
    eventually().untilAsserted(() -> assertThat(TestServers.ids(table)).containsExactly(ids));
  }

  private void assertQueueIsEmpty() {
    eventually().untilAsserted(() -> assertThat(TestServers.browse(queue)).isEmpty());
  }

  @Test
  void aMessageIsHandledAndGoesFromTheQueue() {
    JmsInbox listener = listen(JmsInboxSettings.DEFAULT, ship());
    send("a", "b");
    assertShipped("a", "b");
    assertQueueIsEmpty();
    eventually()
        .until(() -> listener.status().equals(new ListenerStatus(1, 2, 0, 0, 0, 0, 0, false)));
  }

  @Test
  @Attacks("listener.once")
  void aMessageThatItsSenderSendsTwiceUnderOneIdIsHandledOnce() {
    JmsInbox listener = listen(JmsInboxSettings.DEFAULT, ship());
    send("a", Map.of(Encoder.ID, "id-1"));
    send("a", Map.of(Encoder.ID, "id-1"));
    eventually().until(() -> listener.status().repeated() == 1);
    assertShipped("a");
    assertQueueIsEmpty();
  }

  @Test
  void theOutboxOfOneServiceReachesTheInboxOfAnotherUnderOneOperation() {
    Queue<String> operations = new ConcurrentLinkedQueue<>();
    listen(
        JmsInboxSettings.DEFAULT,
        (tx, message) -> {
          operations.add(tx.operationId());
          ship().handle(tx, message);
        });
    try (Holdfast sender =
        Holdfast.on(pool)
            .schema("sender")
            .channel("to-jms", Jms.to(TestServers.client()), queue)
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
  void anOperationIdThatCannotBeKeptIsReplacedByANewOne() {
    Queue<String> operations = new ConcurrentLinkedQueue<>();
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT,
            (tx, message) -> {
              operations.add(tx.operationId());
              ship().handle(tx, message);
            });
    try (JMSContext context = TestServers.client().createContext()) {
      context
          .createProducer()
          .setProperty("cloudEvents_operationid", "a\0b")
          .send(context.createQueue(queue), "a");
    }
    assertShipped("a");
    assertThat(operations).singleElement().asString().doesNotContain("\0");
    assertThat(listener.status().failed()).isZero();
  }

  @Test
  @Attacks("listener.once")
  void aBrokerThatDiesBetweenTheCommitAndTheAcknowledgmentBringsTheMessageAgainForNothing() {
    AtomicBoolean once = new AtomicBoolean();
    ConnectionFactory dying =
        Intercepted.before(
            TestServers.client(),
            "commit",
            () -> {
              if (once.compareAndSet(false, true)) {
                TestServers.ARTEMIS.kill();
                TestServers.ARTEMIS.restart();
              }
            });
    send("a");
    JmsInbox listener = listen(dying, JmsInboxSettings.DEFAULT, ship());
    eventually().until(() -> listener.status().repeated() == 1);
    assertThat(TestServers.ids(table)).containsExactly("a");
    assertQueueIsEmpty();
  }

  @Test
  @Attacks("listener.atomicity")
  void aBrokerThatDiesBeforeTheHandlerCommitsTakesNothingAlong() {
    AtomicBoolean once = new AtomicBoolean();
    send("a");
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT,
            (tx, message) -> {
              ship().handle(tx, message);
              if (once.compareAndSet(false, true)) {
                TestServers.ARTEMIS.kill();
                TestServers.ARTEMIS.restart();
                throw new IllegalStateException("and this attempt fails as well");
              }
            });
    eventually().until(() -> listener.status().handled() == 1);
    assertThat(TestServers.ids(table)).containsExactly("a");
    assertQueueIsEmpty();
  }

  @Tag("long")
  @Test
  @Attacks("listener.outage")
  void aListenerStartsWhileItsBrokerIsDown() {
    send("a");
    TestServers.ARTEMIS.stop();
    JmsInbox listener;
    try {
      listener = listen(JmsInboxSettings.DEFAULT, ship());
      assertThat(listener.status().connected()).isZero();
    } finally {
      TestServers.ARTEMIS.restart();
    }
    assertShipped("a");
    assertThat(listener.status().connected()).isEqualTo(1);
  }

  @Test
  @Attacks("listener.outage")
  void whileTheDatabaseIsAwayTheMessageWaitsAndUsesUpNoAttempt() throws Exception {
    Queue<Integer> deliveries = new ConcurrentLinkedQueue<>();
    CountDownLatch reached = new CountDownLatch(1);
    database.cut();
    send("a", "b");
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT.withDeadLetter(JmsDestination.queue(queue + ".dead"), 1),
            (tx, message) -> {
              deliveries.add(message.getIntProperty("JMSXDeliveryCount"));
              reached.countDown();
              ship().handle(tx, message);
            });
    // One attempt alone waits for two seconds for a connection.
    eventually().until(() -> listener.status().connected() == 1);
    assertThat(reached.await(5, java.util.concurrent.TimeUnit.SECONDS)).isFalse();
    assertThat(listener.status()).isEqualTo(new ListenerStatus(1, 0, 0, 0, 0, 0, 0, false));
    database.restore();
    assertShipped("a", "b");
    assertThat(deliveries).as("delivered once each").containsExactly(1, 1);
    assertThat(TestServers.browse(queue + ".dead")).isEmpty();
  }

  @Test
  @Attacks("listener.outage")
  void aDatabaseThatGoesAwayInTheMidstOfAHandlerUsesUpNoAttempt() {
    AtomicInteger runs = new AtomicInteger();
    send("a");
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT.withDeadLetter(JmsDestination.queue(queue + ".dead"), 1),
            (tx, message) -> {
              if (runs.incrementAndGet() == 1) {
                database.cut();
                database.restore();
              }
              ship().handle(tx, message);
            });
    assertShipped("a");
    eventually().until(() -> listener.status().handled() == 1);
    assertThat(listener.status().failed()).isZero();
    assertThat(TestServers.browse(queue + ".dead")).isEmpty();
  }

  @Test
  void aMessageThatBringsItsSessionDownEachTimeIsNotWaitedWithForEver() {
    send("a", "b");
    listen(
        JmsInboxSettings.DEFAULT.withDeadLetter(JmsDestination.queue(queue + ".dead"), 1),
        (tx, message) -> {
          if (TestServers.body(message).equals("a")) {
            database.cut();
            database.restore();
          }
          ship().handle(tx, message);
        });
    assertShipped("b");
    assertThat(TestServers.bodies(queue + ".dead")).containsExactly("a");
  }

  @Test
  void aHandlerThatRunsAgainFindsTheBodyFromItsBeginning() {
    AtomicInteger runs = new AtomicInteger();
    try (JMSContext context = TestServers.client().createContext()) {
      byte[] body = "a".getBytes(StandardCharsets.UTF_8);
      context.createProducer().send(context.createQueue(queue), body);
    }
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT,
            (tx, message) -> {
              BytesMessage bytes = (BytesMessage) message;
              byte[] body = new byte[1];
              assertThat(bytes.readBytes(body)).isEqualTo(1);
              if (runs.incrementAndGet() == 1) {
                throw new SQLException("it could not be serialized", "40001");
              }
              tx.update(
                  "insert into " + table + " values (?)", new String(body, StandardCharsets.UTF_8));
            });
    assertShipped("a");
    assertThat(runs).hasValue(2);
    assertThat(listener.status().failed()).isZero();
  }

  @Test
  @Attacks("listener.outage")
  void aHandlerThatAsksToBeTriedLaterUsesUpNoAttemptHoweverOften() {
    AtomicInteger runs = new AtomicInteger();
    send("a", "b");
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT.withDeadLetter(JmsDestination.queue(queue + ".dead"), 1),
            (tx, message) -> {
              if (runs.incrementAndGet() <= 5) {
                throw new TryAgainLater("the carrier does not answer");
              }
              ship().handle(tx, message);
            });
    assertShipped("a", "b");
    assertThat(runs).as("five times in vain, then one for each").hasValue(7);
    assertThat(listener.status().failed()).isZero();
    assertThat(TestServers.browse(queue + ".dead")).isEmpty();
  }

  @Test
  void aHandlerMayCloseItsListener() {
    CompletableFuture<JmsInbox> itself = new CompletableFuture<>();
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT,
            (tx, message) -> {
              ship().handle(tx, message);
              itself.join().close();
            });
    itself.complete(listener);
    send("a", "b");
    assertShipped("a");
    eventually().until(() -> listener.status().connected() == 0);
    assertThat(listener.status().handled()).isEqualTo(1);
    assertThat(TestServers.bodies(queue)).containsExactly("b");
  }

  @Test
  @Attacks("inbox.stuck")
  void aHandlerThatLeavesItsTransactionAloneHasFailedAndIsNoOutage() {
    inbox =
        holdfast.inbox(
            TestServers.unique("silent"),
            InboxSettings.DEFAULT.withHandlerSilence(Duration.ofSeconds(1)));
    send("a");
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT.withDeadLetter(JmsDestination.queue(queue + ".dead"), 1),
            (tx, message) -> {
              try {
                new CountDownLatch(1).await(3, java.util.concurrent.TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              ship().handle(tx, message);
            });
    eventually().until(() -> listener.status().givenUp() == 1);
    assertThat(listener.status().failed()).isEqualTo(1);
    assertThat(TestServers.ids(table)).isEmpty();
  }

  @Test
  @Attacks({"listener.atomicity", "listener.dead-letter"})
  void aMessageWhoseHandlerAlwaysFailsGoesToTheDeadLettersAndTheOthersAreHandled() {
    AtomicInteger attempts = new AtomicInteger();
    send("poison", Map.of("x", "y"));
    send("b");
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT.withDeadLetter(JmsDestination.queue(queue + ".dead"), 3),
            (tx, message) -> {
              ship().handle(tx, message);
              if (TestServers.body(message).equals("poison")) {
                attempts.incrementAndGet();
                throw new IllegalStateException("it is poison");
              }
            });
    assertShipped("b");
    eventually().until(() -> listener.status().givenUp() == 1);
    assertThat(attempts).hasValue(3);
    jakarta.jms.Message dead = TestServers.browse(queue + ".dead").get(0);
    assertThat(TestServers.body(dead)).isEqualTo("poison");
    assertThat(TestServers.property(dead, "x")).isEqualTo("y");
    assertThat(TestServers.property(dead, "holdfast_reason")).contains("it is poison");
    assertThat(TestServers.property(dead, "holdfast_attempts")).isEqualTo("3");
    assertQueueIsEmpty();
  }

  @Test
  @Tag("long")
  void withoutDeadLettersOfOursTheBrokersPolicyDecides() {
    AtomicInteger attempts = new AtomicInteger();
    send("poison-" + queue);
    listen(
        JmsInboxSettings.DEFAULT,
        (tx, message) -> {
          attempts.incrementAndGet();
          throw new IllegalStateException("it is poison");
        });
    await()
        .atMost(Duration.ofSeconds(90))
        .untilAsserted(
            () ->
                assertThat(TestServers.bodies(ArtemisServer.DEAD_LETTERS))
                    .contains("poison-" + queue));
    assertThat(attempts).as("Artemis' max-delivery-attempts").hasValue(10);
  }

  @Test
  @Attacks("listener.dead-letter")
  void anotherMessageUnderAnIdThatWasHandledIsADeadLetterAtOnce() {
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT.withDeadLetter(JmsDestination.queue(queue + ".dead"), 9),
            ship());
    send("a", Map.of(Encoder.ID, "id-1"));
    send("another", Map.of(Encoder.ID, "id-1"));
    eventually().until(() -> listener.status().givenUp() == 1);
    assertShipped("a");
    assertThat(TestServers.bodies(queue + ".dead")).containsExactly("another");
    assertThat(listener.status().failed()).isEqualTo(1);
  }

  @Test
  @Attacks("listener.dead-letter")
  void aMessageWithoutAnyIdIsADeadLetterAtOnceAndSaysWhatToDo() throws JMSException {
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT.withDeadLetter(JmsDestination.queue(queue + ".dead"), 9),
            ship());
    try (JMSContext context = TestServers.client().createContext()) {
      JMSProducer producer = context.createProducer();
      producer.setDisableMessageID(true);
      producer.send(context.createQueue(queue), "nameless");
    }
    eventually().until(() -> listener.status().givenUp() == 1);
    assertThat(TestServers.ids(table)).isEmpty();
    assertThat(TestServers.property(TestServers.browse(queue + ".dead").get(0), "holdfast_reason"))
        .contains("Let its sender set the property");
  }

  @Tag("long")
  @Test
  @Attacks("listener.once")
  void severalThreadsHandleEachMessageOnce() {
    int messages = 200;
    String[] bodies =
        IntStream.range(0, messages).mapToObj("m%03d"::formatted).toArray(String[]::new);
    Queue<String> threads = new ConcurrentLinkedQueue<>();
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT.withConcurrency(4),
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
  void closingFinishesAndAcknowledgesWhatIsBeingHandled() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT,
            (tx, message) -> {
              begun.countDown();
              try {
                mayEnd.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              ship().handle(tx, message);
            });
    send("a", "b");
    begun.await();
    Thread closing = new Thread(listener::close);
    closing.start();
    mayEnd.countDown();
    closing.join();
    assertThat(TestServers.ids(table)).containsExactly("a");
    assertThat(TestServers.bodies(queue)).as("given back").containsExactly("b");
    assertThat(listener.status().connected()).isZero();
  }

  @Test
  void aHandlerThatTakesTooLongToCloseIsInterruptedAndItsMessageComesAgain() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    JmsInbox listener =
        listen(
            JmsInboxSettings.DEFAULT.withClosingWait(Duration.ofMillis(100)),
            (tx, message) -> {
              begun.countDown();
              try {
                new CountDownLatch(1).await();
              } catch (InterruptedException e) {
                throw new IllegalStateException("interrupted", e);
              }
            });
    send("a");
    begun.await();
    listener.close();
    eventually().until(() -> listener.status().connected() == 0);
    assertThat(TestServers.ids(table)).isEmpty();
    listen(JmsInboxSettings.DEFAULT, ship());
    assertShipped("a");
  }

  @Test
  void aTopicKeepsForItsSubscriptionWhatIsSentWhileNobodyListens() {
    String topic = TestServers.unique("news");
    JmsInboxSettings settings = JmsInboxSettings.DEFAULT.withSubscription("shipping");
    JmsDestination from = JmsDestination.topic(topic);
    JmsInbox first = JmsInbox.start(TestServers.client(), from, inbox, settings, ship());
    eventually().until(() -> first.status().connected() == 1);
    first.close();
    try (JMSContext context = TestServers.client().createContext()) {
      context.createProducer().send(context.createTopic(topic), "a");
    }
    opened.add(JmsInbox.start(TestServers.client(), from, inbox, settings, ship()));
    assertShipped("a");
  }

  @Test
  void whatWouldLoseMessagesIsRefusedAtStart() {
    assertThatThrownBy(
            () ->
                JmsInbox.start(
                    TestServers.client(),
                    JmsDestination.topic("t"),
                    inbox,
                    JmsInboxSettings.DEFAULT,
                    ship()))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("withSubscription");
    assertThatThrownBy(() -> JmsInboxSettings.DEFAULT.withConcurrency(0))
        .isInstanceOf(InvalidConfiguration.class);
    assertThat(List.of(JmsInboxSettings.DEFAULT.attempts())).containsExactly(5);
  }
}
