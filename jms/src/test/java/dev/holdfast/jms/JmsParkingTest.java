package dev.holdfast.jms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.ArtemisServer;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import dev.holdfast.inbox.TryAgainLater;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.ConsumerParking.Lane;
import dev.holdfast.inbox.store.OffsetStore.Partition;
import jakarta.jms.BytesMessage;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSProducer;
import jakarta.jms.Message;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.activemq.artemis.jms.client.ActiveMQDestination;
import org.apache.activemq.artemis.jms.client.ActiveMQMessage;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Messages that cannot be handled, in the database, with the later ones of their key. */
final class JmsParkingTest {
  private static final Duration LONG = Duration.ofSeconds(40);
  private static final String KEY = "cloudEvents_partitionkey";

  private final String queue = TestServers.unique("parking");
  private final TcpRelay database = TcpRelay.to("127.0.0.1", TestServers.POSTGRES.port());
  private final HikariDataSource pool =
      TestServers.pool(
          "jdbc:postgresql://127.0.0.1:" + database.port() + "/postgres?user=postgres");
  private final Queue<AutoCloseable> opened = new ConcurrentLinkedQueue<>();
  private final Holdfast holdfast = Holdfast.on(pool).schema("parking").start();
  private final String consumer = TestServers.unique("consumer");
  private final Inbox inbox = holdfast.inbox(consumer, InboxSettings.DEFAULT);
  private final ConsumerParking store = holdfast.store().consumerParking();
  private final JmsInboxSettings settings =
      JmsInboxSettings.DEFAULT
          .withDeadLetter(JmsDestination.queue(queue + ".dead"), 5)
          .withParking(JmsParking.DEFAULT, 2);

  /** Bodies whose handler fails, until it is repaired. */
  private final Set<String> poison = ConcurrentHashMap.newKeySet();

  /** What was handled, in the order of commits as far as one key is concerned. */
  private final String table = table();

  private static String table() {
    String name = TestServers.unique("handled");
    TestServers.execute("create table " + name + " (n bigserial, id text not null)");
    return name;
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

  private JmsInbox listen() {
    return listen(TestServers.client(), settings, handler());
  }

  private JmsInbox listen(ConnectionFactory factory, JmsInboxSettings how, JmsHandler handler) {
    JmsInbox listener = JmsInbox.start(factory, JmsDestination.queue(queue), inbox, how, handler);
    opened.add(listener);
    return listener;
  }

  private JmsHandler handler() {
    return (tx, message) -> {
      String body = TestServers.body(message);
      tx.update("insert into " + table + " (id) values (?)", body);
      if (poison.contains(body)) {
        throw new IllegalStateException(body + " is poison");
      }
    };
  }

  private void send(String key, String... bodies) {
    for (String body : bodies) {
      send(body, Map.of(KEY, key));
    }
  }

  private void send(String body, Map<String, String> properties) {
    try (JMSContext context = TestServers.client().createContext()) {
      JMSProducer producer = context.createProducer();
      properties.forEach(producer::setProperty);
      producer.send(context.createQueue(queue), body);
    }
  }

  private List<String> handled() {
    return TestServers.strings("select id from " + table + " order by n");
  }

  private void assertHandled(String... ids) {
    eventually().untilAsserted(() -> assertThat(handled()).containsExactly(ids));
  }

  private List<Lane> lanes() {
    return store.all(consumer, 100);
  }

  private void assertParked(String lane, long messages) {
    eventually()
        .untilAsserted(
            () ->
                assertThat(lanes())
                    .anyMatch(each -> each.name().equals(lane) && each.records() == messages));
  }

  private void release(String lane) {
    assertThat(store.release(consumer, queue, 0, lane, "test")).isTrue();
  }

  private void assertQueueIsEmpty() {
    eventually().untilAsserted(() -> assertThat(TestServers.browse(queue)).isEmpty());
  }

  @Test
  @Attacks("listener.parked")
  void aMessageThatCannotBeHandledIsParkedWithTheLaterOnesOfItsKeyAndReplayedInOrder() {
    poison.add("a1");
    JmsInbox listener = listen();
    send("a", "a1", "a2");
    send("b", "b1");
    send("a", "a3");
    send("c", Map.of());
    assertHandled("b1", "c");
    assertParked("k:a", 3);
    assertQueueIsEmpty();
    assertThat(lanes())
        .singleElement()
        .satisfies(
            lane -> {
              assertThat(lane.partition().isQueue()).isTrue();
              assertThat(lane.partition().topic()).isEqualTo(queue);
              assertThat(lane.reason()).contains("a1 is poison");
            });
    assertThat(listener.status().parked()).isEqualTo(3);
    assertThat(listener.status().failed()).as("attempts").isEqualTo(2);

    poison.clear();
    release("k:a");
    assertHandled("b1", "c", "a1", "a2", "a3");
    eventually().until(() -> lanes().isEmpty());
    send("a", "a4");
    assertHandled("b1", "c", "a1", "a2", "a3", "a4");
    assertThat(listener.status().replayed()).isEqualTo(3);
    assertThat(TestServers.browse(queue + ".dead")).isEmpty();
  }

  /** As pools have it that operations across databases use. */
  @Test
  void aLockOnTheKeyThatIsNotHadInTimeIsNoFailureOfTheMessage() throws Exception {
    String lane = consumer + '\n' + Partition.ofQueue("jms", queue).topicId() + "\nk:a";
    String waiting =
        "select pid from pg_locks where locktype = 'advisory' and classid = 1213156425 and not granted";
    JmsInbox listener;
    try (Connection other = pool.getConnection();
        Statement statement = other.createStatement()) {
      statement.execute("select pg_advisory_lock(1213156425, hashtext('" + lane + "'))");
      listener = listenWithLockTimeout();
      send("a", "a1");
      eventually().until(() -> !TestServers.strings(waiting).isEmpty());
      eventually().until(() -> TestServers.strings(waiting).isEmpty());
      eventually().until(() -> !TestServers.strings(waiting).isEmpty());
      statement.execute("select pg_advisory_unlock_all()");
    }
    assertHandled("a1");
    assertThat(listener.status().failed()).isZero();
    assertThat(lanes()).isEmpty();
  }

  private JmsInbox listenWithLockTimeout() {
    HikariDataSource impatient =
        TestServers.pool(TestServers.POSTGRES.jdbcUrl() + "&options=-c%20lock_timeout=300ms");
    Holdfast other = Holdfast.on(impatient).schema("parking").start();
    JmsInbox listener =
        JmsInbox.start(
            TestServers.client(),
            JmsDestination.queue(queue),
            other.inbox(consumer, InboxSettings.DEFAULT),
            settings.withParking(JmsParking.DEFAULT, 1),
            handler());
    opened.addAll(List.of(listener, other, impatient));
    return listener;
  }

  @Test
  void aReplayThatWaitsForWhatItsHandlerNeedsHoldsUpNoOtherKey() {
    poison.addAll(List.of("a1", "b1"));
    Set<String> away = ConcurrentHashMap.newKeySet();
    JmsHandler real = handler();
    listen(
        TestServers.client(),
        settings,
        (tx, message) -> {
          if (away.contains(TestServers.body(message))) {
            throw new TryAgainLater("the payment provider is away");
          }
          real.handle(tx, message);
        });
    send("a", "a1");
    send("b", "b1");
    assertParked("k:a", 1);
    assertParked("k:b", 1);
    poison.clear();
    away.add("a1");
    release("k:a");
    release("k:b");
    assertHandled("b1");

    away.clear();
    assertHandled("b1", "a1");
  }

  @Test
  @Attacks("listener.parked")
  void oneThatFailsAgainStaysAtTheHeadUntilItIsSkipped() {
    poison.add("a1");
    listen();
    send("a", "a1", "a2");
    assertParked("k:a", 2);
    release("k:a");
    eventually().until(() -> lanes().stream().noneMatch(Lane::releasing));
    assertThat(lanes()).singleElement().extracting(Lane::records).isEqualTo(2L);
    assertThat(handled()).isEmpty();

    long first = Objects.requireNonNull(lanes().get(0).first());
    assertThat(store.skip(consumer, queue, 0, first, "test")).isTrue();
    release("k:a");
    assertHandled("a2");
    eventually().until(() -> lanes().isEmpty());
  }

  @Test
  @Attacks("listener.parked")
  void whileAMessageOfAKeyIsReplayedNoOtherOneOfItIsHandled() throws Exception {
    CountDownLatch replaying = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    AtomicBoolean repaired = new AtomicBoolean();
    poison.add("a1");
    listen(
        TestServers.client(),
        settings.withConcurrency(2),
        (tx, message) -> {
          handler().handle(tx, message);
          if (TestServers.body(message).equals("a1") && repaired.get()) {
            replaying.countDown();
            awaitIt(mayEnd);
          }
        });
    send("a", "a1");
    assertParked("k:a", 1);
    poison.clear();
    repaired.set(true);
    release("k:a");
    replaying.await();
    send("a", "a2");
    send("b", "b1");
    assertHandled("b1");
    assertThat(handled()).as("it waits behind the replay").doesNotContain("a2");
    mayEnd.countDown();
    assertHandled("a1", "b1", "a2");
    eventually().until(() -> lanes().isEmpty());
  }

  @Test
  @Attacks("listener.parked")
  void aMessageIsNotParkedWhileAnotherOneOfItsKeyIsBeingHandled() throws Exception {
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    poison.add("a2");
    JmsInbox listener =
        listen(
            TestServers.client(),
            settings.withConcurrency(2),
            (tx, message) -> {
              handler().handle(tx, message);
              if (TestServers.body(message).equals("a1")) {
                handling.countDown();
                awaitIt(mayEnd);
              }
            });
    // Each gets one: the broker sends ahead, also to a thread that is busy.
    eventually().until(() -> listener.status().connected() == 2);
    send("a", "a1");
    handling.await();
    send("a", "a2");
    eventually().until(() -> listener.status().failed() == 2);
    assertThat(lanes()).isEmpty();
    mayEnd.countDown();
    assertParked("k:a", 1);
    assertThat(handled()).containsExactly("a1");
  }

  private static void awaitIt(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  @Attacks("listener.parked")
  void twoListenersKeepTheOrderOfKeysThatAreParkedAndReleasedMeanwhile() {
    List<String> keys = List.of("0", "1", "2", "3");
    JmsInboxSettings how = settings.withConcurrency(2);
    for (int i = 0; i < 2; i++) {
      listen(TestServers.client(), how, handler());
    }
    // The broker gives those of a group to one consumer, in order.
    for (int i = 0; i < 40; i++) {
      for (String key : keys) {
        String body = key + ":" + (i < 10 ? "0" : "") + i;
        if (i % 13 == 5) {
          poison.add(body);
        }
        send(body, Map.of("JMSXGroupID", key));
      }
    }
    eventually().until(() -> lanes().size() == keys.size());
    poison.clear();
    keys.forEach(key -> release("k:" + key));
    eventually().until(() -> handled().size() == 160 && lanes().isEmpty());
    for (String key : keys) {
      assertThat(handled().stream().filter(id -> id.startsWith(key + ":")).toList())
          .hasSize(40)
          .isSorted();
    }
  }

  @Test
  @Attacks("listener.parked")
  void aBrokerThatDoesNotHearThatAMessageIsParkedBringsItAgainForNothing() {
    AtomicBoolean once = new AtomicBoolean();
    poison.add("a1");
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
    send("a", "a1");
    JmsInbox listener = listen(dying, settings, handler());
    eventually().until(() -> listener.status().repeated() == 1);
    assertParked("k:a", 1);
    assertQueueIsEmpty();
  }

  @Test
  void aMessageThatComesTwiceWhileItIsParkedIsKnownAndAnotherOneUnderItsIdIsNot() {
    poison.add("a1");
    JmsInbox listener = listen();
    send("a1", Map.of(KEY, "a", Encoder.ID, "id-1"));
    send("a1", Map.of(KEY, "a", Encoder.ID, "id-1"));
    eventually().until(() -> listener.status().repeated() == 1);
    send("other", Map.of(KEY, "a", Encoder.ID, "id-1"));
    assertParked("k:a", 2);
    poison.clear();
    release("k:a");
    assertHandled("a1");
    eventually()
        .untilAsserted(
            () ->
                assertThat(lanes())
                    .singleElement()
                    .extracting(Lane::reason)
                    .asString()
                    .contains("another message under the id id-1"));
  }

  @Test
  void messagesWithoutAKeyAreParkedAlone() {
    poison.add("x");
    listen();
    send("x", Map.of(Encoder.ID, "x-1"));
    send("y", Map.of(Encoder.ID, "y-1"));
    assertHandled("y");
    assertParked("m:x-1", 1);
  }

  /** What turns the direction of text, a line break, the character 0. */
  @Test
  void aKeyThatNobodyCouldCopyFromATerminalIsParkedUnderAHash() {
    List<String> keys = List.of("a\u202E", "a\nb", "a\0", " ", "");
    poison.add("poison");
    listen();
    keys.forEach(key -> send(key, "poison", "behind"));
    eventually()
        .until(
            () ->
                lanes().size() == keys.size()
                    && lanes().stream().allMatch(each -> each.records() == 2));
    assertThat(lanes())
        .extracting(each -> each.name().substring(0, 2))
        .containsExactly("h:", "h:", "h:", "k:", "k:");
    poison.clear();
    lanes().forEach(each -> release(each.name()));
    eventually().until(() -> lanes().isEmpty());
    assertThat(handled()).hasSize(2 * keys.size());
  }

  @Test
  void aKeyOfTheSettingsAndALongOneAreAsGood() {
    String tenant = "t".repeat(600);
    poison.add("a1");
    listen(
        TestServers.client(),
        settings.withParking(
            JmsParking.DEFAULT.withKey(message -> message.getStringProperty("tenant")), 1),
        handler());
    send("a1", Map.of("tenant", tenant));
    send("a2", Map.of("tenant", tenant));
    eventually().until(() -> lanes().size() == 1 && lanes().get(0).records() == 2);
    String lane = lanes().get(0).name();
    assertThat(lane).startsWith("h:").hasSizeLessThan(80);
    poison.clear();
    release(lane);
    assertHandled("a1", "a2");
  }

  @Test
  @Attacks("listener.parked")
  void whenNoMoreMayBeParkedTheNextWaitsAndNothingIsLost() {
    poison.addAll(List.of("a1", "b1"));
    JmsInbox listener =
        listen(
            TestServers.client(),
            settings.withParking(JmsParking.DEFAULT.withMaxParked(1), 1),
            handler());
    send("a", "a1");
    assertParked("k:a", 1);
    send("b", "b1");
    send("c", "c1");
    eventually().until(() -> listener.status().full());
    assertThat(handled()).isEmpty();
    assertThat(lanes()).hasSize(1);

    poison.remove("a1");
    release("k:a");
    assertHandled("a1", "c1");
    assertParked("k:b", 1);
    assertThat(listener.status().full()).isFalse();
    assertQueueIsEmpty();
  }

  @Test
  void whatCannotBeParkedGoesToTheDeadLettersAndSaysWhy() {
    listen(
        TestServers.client(),
        settings.withParking(JmsParking.DEFAULT.withMaxBytes(2_000), 1),
        (tx, message) -> {
          throw new IllegalStateException("all is poison");
        });
    try (JMSContext context = TestServers.client().createContext()) {
      context
          .createProducer()
          .send(context.createQueue(queue), context.createObjectMessage("written by Java"));
      context.createProducer().send(context.createQueue(queue), "x".repeat(3_000));
    }
    String dead = queue + ".dead";
    eventually().untilAsserted(() -> assertThat(TestServers.browse(dead)).hasSize(2));
    assertThat(TestServers.browse(dead))
        .extracting(letter -> TestServers.property(letter, "holdfast_reason"))
        .satisfiesExactly(
            reason -> assertThat(reason).contains("its body is a Java object"),
            reason -> assertThat(reason).contains("bytes, and 2,000 are allowed"));
    assertThat(lanes()).isEmpty();
  }

  @Test
  void aKeyThatCannotBeToldKeepsItsMessageFromBeingHandled() {
    listen(
        TestServers.client(),
        settings.withParking(
            JmsParking.DEFAULT.withKey(
                message -> {
                  throw new IllegalArgumentException("no tenant");
                }),
            1),
        handler());
    send("a", "a1");
    String dead = queue + ".dead";
    eventually().untilAsserted(() -> assertThat(TestServers.bodies(dead)).containsExactly("a1"));
    assertThat(TestServers.property(TestServers.browse(dead).get(0), "holdfast_reason"))
        .contains("no tenant");
    assertThat(handled()).isEmpty();
  }

  @Test
  @Attacks("listener.outage")
  void aDatabaseThatGoesAwayBeforeAMessageIsParkedIsWaitedFor() {
    AtomicBoolean once = new AtomicBoolean();
    poison.add("a1");
    JmsInbox listener =
        listen(
            TestServers.client(),
            settings,
            (tx, message) -> {
              if (TestServers.body(message).equals("a1") && once.compareAndSet(false, true)) {
                database.cut();
                new Thread(database::restore).start();
              }
              handler().handle(tx, message);
            });
    send("a", "a1", "a2");
    assertParked("k:a", 2);
    assertThat(listener.status().givenUp()).isZero();
    assertQueueIsEmpty();
  }

  @Test
  void anOperatorPausesAListenerThatParksAndLetsItGoOn() {
    holdfast.store().offsets().register(consumer);
    holdfast.store().offsets().pause(consumer, "a migration");
    JmsInbox listener = listen();
    eventually().until(() -> listener.status().connected() == 1);
    send("a", "a1");
    assertThat(handled()).isEmpty();
    holdfast.store().offsets().pause(consumer, null);
    assertHandled("a1");
  }

  @Test
  void anOperationIsToldWhatIsParkedOfIt() {
    poison.add("a1");
    listen();
    send("a1", Map.of(KEY, "a", Encoder.OPERATION, "op-" + queue));
    assertParked("k:a", 1);
    assertThat(
            TestServers.strings(
                "select state || ': ' || detail from parking.operation_event where operation_id = 'op-"
                    + queue
                    + "'"))
        .singleElement()
        .asString()
        .startsWith("PARKED: lane k:a: ")
        .contains("a1 is poison");
  }

  @Test
  void aConsumerThatReadsATopicOfThatNameIsRefused() {
    holdfast.store().offsets().register(consumer);
    holdfast.store().offsets().begin(consumer, queue, UUID.randomUUID(), Map.of(0, 0L));
    assertThatThrownBy(this::listen)
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("Use an inbox of another name");
  }

  @Test
  @Attacks("listener.parked")
  void aBodyThatItsHandlerHasReadInPartIsParkedAsAWhole() {
    AtomicBoolean repaired = new AtomicBoolean();
    listen(
        TestServers.client(),
        settings,
        (tx, message) -> {
          BytesMessage bytes = (BytesMessage) message;
          bytes.readByte();
          if (!repaired.get()) {
            throw new IllegalStateException("no good");
          }
          bytes.reset();
          handler().handle(tx, bytes);
        });
    try (JMSContext context = TestServers.client().createContext()) {
      context
          .createProducer()
          .setProperty(KEY, "a")
          .send(context.createQueue(queue), "100 EUR".getBytes(StandardCharsets.UTF_8));
    }
    assertParked("k:a", 1);
    repaired.set(true);
    release("k:a");
    assertHandled("100 EUR");
  }

  /** A deployment is no failure of what is being replayed in it. */
  @Test
  void aReplayThatIsInterruptedByClosingGoesOnInTheNextProcess() throws Exception {
    CountDownLatch replaying = new CountDownLatch(1);
    AtomicBoolean hangs = new AtomicBoolean();
    poison.add("a1");
    JmsInbox first =
        listen(
            TestServers.client(),
            settings.withClosingWait(Duration.ofMillis(100)),
            (tx, message) -> {
              handler().handle(tx, message);
              if (hangs.get()) {
                replaying.countDown();
                awaitIt(new CountDownLatch(1));
              }
            });
    send("a", "a1");
    assertParked("k:a", 1);
    poison.clear();
    hangs.set(true);
    release("k:a");
    replaying.await();
    first.close();

    listen();
    assertHandled("a1");
    eventually().until(() -> lanes().isEmpty());
  }

  @Test
  void anOperatorPausesAReplayBetweenTwoMessagesAndWhatComesMeanwhile() throws Exception {
    CountDownLatch replaying = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    AtomicBoolean repaired = new AtomicBoolean();
    poison.add("a1");
    JmsInbox listener =
        listen(
            TestServers.client(),
            settings,
            (tx, message) -> {
              handler().handle(tx, message);
              if (TestServers.body(message).equals("a1") && repaired.get()) {
                replaying.countDown();
                awaitIt(mayEnd);
              }
            });
    send("a", "a1", "a2");
    assertParked("k:a", 2);
    poison.clear();
    repaired.set(true);
    release("k:a");
    replaying.await();
    holdfast.store().offsets().pause(consumer, "it does harm");
    assertThatWhatComesWaits();
    mayEnd.countDown();
    eventually().until(() -> listener.status().replayed() >= 1);
    listener.close();
    assertThat(handled()).doesNotContain("a2");
  }

  /** Before long, whatever is being replayed meanwhile. */
  private void assertThatWhatComesWaits() {
    AtomicInteger sent = new AtomicInteger();
    eventually()
        .ignoreExceptions()
        .untilAsserted(
            () -> {
              String next = "b" + sent.incrementAndGet();
              send("b", next);
              await()
                  .during(Duration.ofMillis(500))
                  .atMost(Duration.ofSeconds(1))
                  .until(() -> !handled().contains(next));
            });
  }

  @Test
  void aMessageThatOverflowsTheStackIsParkedAsAnyOther() {
    AtomicBoolean deep = new AtomicBoolean(true);
    listen(
        TestServers.client(),
        settings,
        (tx, message) -> {
          if (deep.get() && TestServers.body(message).equals("a1")) {
            throw new StackOverflowError();
          }
          handler().handle(tx, message);
        });
    send("a", "a1", "a2");
    send("b", "b1");
    assertHandled("b1");
    assertParked("k:a", 2);
    release("k:a");
    eventually().until(() -> lanes().stream().noneMatch(Lane::releasing));
    deep.set(false);
    release("k:a");
    assertHandled("b1", "a1", "a2");
  }

  @Test
  void aHandlerThatLeavesItsThreadInterruptedEndsNobody() {
    AtomicBoolean repaired = new AtomicBoolean();
    JmsInbox listener =
        listen(
            TestServers.client(),
            settings,
            (tx, message) -> {
              Thread.currentThread().interrupt();
              if (!repaired.get()) {
                throw new IllegalStateException("interrupted");
              }
              handler().handle(tx, message);
            });
    send("a", "a1", "a2");
    assertParked("k:a", 2);
    repaired.set(true);
    send("b", "b1", "b2");
    assertHandled("b1", "b2");
    release("k:a");
    assertHandled("b1", "b2", "a1", "a2");
    assertThat(listener.status().connected()).isEqualTo(1);
  }

  /** As one in Kotlin may, which declares nothing. */
  @Test
  void anExceptionThatTheHandlerDoesNotDeclareIsAFailureOfItsMessage() {
    listen(
        TestServers.client(),
        settings,
        (tx, message) -> {
          if (TestServers.body(message).equals("a1")) {
            JmsParkingTest.<RuntimeException>throwAny(new InterruptedException("of something"));
          }
          handler().handle(tx, message);
        });
    send("a", "a1", "a2");
    send("b", "b1");
    assertHandled("b1");
    assertParked("k:a", 2);
    release("k:a");
    eventually().until(() -> lanes().stream().noneMatch(Lane::releasing));
    assertParked("k:a", 2);
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void throwAny(Throwable e) throws E {
    throw (E) e;
  }

  /** STOMP and AMQP know no such rules. */
  @Test
  void aPropertyThatJmsCouldNotMakeAgainIsADeadLetterUnderANameThatItCan() throws Exception {
    poison.addAll(List.of("a1", "a2"));
    listen();
    try (JMSContext context = TestServers.client().createContext()) {
      Message odd = context.createTextMessage("a1");
      odd.setStringProperty(KEY, "a");
      ((ActiveMQMessage) odd).getCoreMessage().putStringProperty("x-tenant:id", "north");
      context.createProducer().send(context.createQueue(queue), odd);
    }
    send("a", "a2");
    assertParked("k:a", 1);
    String dead = queue + ".dead";
    eventually().untilAsserted(() -> assertThat(TestServers.bodies(dead)).containsExactly("a1"));
    Message letter = TestServers.browse(dead).get(0);
    assertThat(TestServers.property(letter, "x_HYPHEN_tenant_id")).isEqualTo("north");
    assertThat(TestServers.property(letter, "holdfast_reason")).contains("x-tenant:id");
  }

  @Test
  void anIdThatIsNoTextIsParkedAndHoldsUpNoOtherKey() throws Exception {
    listen();
    try (JMSContext context = TestServers.client().createContext()) {
      Message odd = context.createTextMessage("a1");
      odd.setStringProperty(KEY, "a");
      ((ActiveMQMessage) odd).getCoreMessage().putBytesProperty(Encoder.ID, new byte[] {1, 2});
      context.createProducer().send(context.createQueue(queue), odd);
    }
    send("b", "b1");
    assertHandled("b1");
    assertParked("k:a", 1);
    assertThat(lanes().get(0).reason()).contains("is no text");
    release("k:a");
    eventually().until(() -> lanes().stream().noneMatch(Lane::releasing));
    assertParked("k:a", 1);
  }

  /** As those of requests are, when who asked has gone. */
  @Test
  void aPlaceForRepliesThatIsGoneHoldsUpNoOtherKey() {
    String gone = ArtemisServer.NOT_CREATED + queue;
    poison.addAll(List.of("a1", "b1"));
    listen();
    try (JMSContext context = TestServers.client().createContext()) {
      context
          .createProducer()
          .setProperty(KEY, "a")
          .setJMSReplyTo(ActiveMQDestination.createQueue(gone))
          .send(context.createQueue(queue), "a1");
    }
    send("b", "b1");
    assertParked("k:a", 1);
    assertParked("k:b", 1);
    poison.clear();
    release("k:a");
    release("k:b");
    assertHandled("b1");
    eventually()
        .untilAsserted(
            () ->
                assertThat(lanes())
                    .singleElement()
                    .satisfies(
                        lane -> {
                          assertThat(lane.releasing()).isFalse();
                          assertThat(lane.reason()).contains(gone);
                        }));
  }

  @Test
  void anIdThatAnotherProcessHoldsForLongIsNoFailureOfTheMessage() throws Exception {
    CountDownLatch handling = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    Thread other =
        new Thread(
            () ->
                inbox.once(
                    Incoming.of("id-1").saying("a1".getBytes(StandardCharsets.UTF_8)),
                    tx -> {
                      handling.countDown();
                      awaitIt(mayEnd);
                      return Reply.NONE;
                    }));
    other.start();
    handling.await();
    JmsInbox listener = listenWithLockTimeout();
    send("a1", Map.of(KEY, "a", Encoder.ID, "id-1"));
    String waiting =
        "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%parking%receive%'";
    eventually().until(() -> !TestServers.strings(waiting).isEmpty());
    eventually().until(() -> TestServers.strings(waiting).isEmpty());
    eventually().until(() -> !TestServers.strings(waiting).isEmpty());
    mayEnd.countDown();
    other.join();
    eventually().until(() -> listener.status().repeated() == 1);
    assertThat(listener.status().failed()).isZero();
    assertThat(lanes()).isEmpty();
  }

  /** Nobody waits with a connection for another one. */
  @Test
  void aPoolOfOneConnectionIsEnoughForSeveralThreadsThatPark() {
    HikariDataSource one = TestServers.pool(TestServers.POSTGRES.jdbcUrl());
    one.setMaximumPoolSize(1);
    Holdfast other = Holdfast.on(one).schema("parking").start();
    poison.addAll(List.of("a1", "b1"));
    JmsInbox listener =
        JmsInbox.start(
            TestServers.client(),
            JmsDestination.queue(queue),
            other.inbox(consumer, InboxSettings.DEFAULT),
            settings.withConcurrency(3),
            handler());
    opened.addAll(List.of(listener, other, one));
    send("a", "a1", "a2");
    send("b", "b1", "b2");
    eventually().until(() -> lanes().size() == 2);
    poison.clear();
    release("k:a");
    release("k:b");
    eventually().until(() -> handled().size() == 4 && lanes().isEmpty());
  }

  @Test
  void aListenerThatParksNoMoreDoesNotLookWhatIsParked() {
    poison.add("a1");
    JmsInbox parking = listen();
    send("a", "a1");
    assertParked("k:a", 1);
    parking.close();
    listen(TestServers.client(), JmsInboxSettings.DEFAULT, handler());
    send("a", "a2");
    assertHandled("a2");
    assertParked("k:a", 1);
  }

  @Test
  void boundsOfParkingAreChecked() {
    assertThatThrownBy(() -> JmsParking.DEFAULT.withMaxParked(0))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("must be 1 to 1,000,000");
    assertThatThrownBy(() -> JmsParking.DEFAULT.withMaxBytes(65 << 20))
        .isInstanceOf(InvalidConfiguration.class);
  }
}
