package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.Transaction;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.TryAgainLater;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.ConsumerParking.Lane;
import dev.holdfast.jms.JmsDestination;
import dev.holdfast.jms.JmsInbox;
import dev.holdfast.jms.JmsInboxSettings;
import dev.holdfast.spring.QueueApp.OrderPlaced;
import dev.holdfast.spring.QueueApp.Parcel;
import dev.holdfast.spring.QueueApp.Seen;
import dev.holdfast.spring.QueueApp.Shop;
import dev.holdfast.spring.QueueApp.Work;
import dev.holdfast.spring.QueueApp.Works;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.JMSConsumer;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.JMSProducer;
import jakarta.jms.TextMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledForJreRange;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jms.connection.CachingConnectionFactory;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.test.util.ReflectionTestUtils;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** What Spring does in the transaction of a message of JMS, and what becomes of it. */
@Tag("extended")
final class JmsListenerTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String SCHEMA = TestServers.unique("jms_");
  private static final String QUEUE = TestServers.unique("parcels.");
  private static final String TYPED = TestServers.unique("typed.");
  private static final String ORDERS = TestServers.unique("orders.");
  private static final String NEWS = TestServers.unique("news.");
  private static final String PARKING = TestServers.unique("parking.");
  private static final String DEAD = TestServers.unique("dead.");

  private static @Nullable ConfigurableApplicationContext application;

  private final JdbcTemplate outside = new JdbcTemplate(dataSource());

  /** By the first word of what they say. */
  static class Handlers {
    private final Works works;

    Handlers(Works works) {
      this.works = works;
    }

    @HoldfastJmsListener(consumer = "patient", queue = "${test.queue}")
    void handle(Transaction tx, String body, jakarta.jms.Message message) throws Exception {
      assertThat(message.getJMSMessageID()).isNotNull();
      works.run(tx, body);
    }

    @HoldfastJmsListener(consumer = "parking", queue = "${test.parking-queue}")
    void park(Transaction tx, String body) throws Exception {
      works.run(tx, body);
    }
  }

  static class Typed {
    private final Seen seen;

    Typed(Seen seen) {
      this.seen = seen;
    }

    @HoldfastJmsListener(consumer = "typed", queue = "${test.typed-queue}")
    void parcels(
        @Nullable List<Parcel> parcels,
        @Header(name = "tenant", required = false) @Nullable String tenant) {
      seen.all.add(tenant + " " + parcels);
    }

    @HoldfastJmsListener(
        consumer = "news",
        topic = "${test.news-topic}",
        subscription = "${test.news-topic}")
    void news(byte[] news) {
      seen.all.add(new String(news, StandardCharsets.UTF_8));
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import(QueueApp.Parts.class)
  static class Application {
    /** Shared and caching, as Spring Boot makes it. */
    @Bean
    CachingConnectionFactory jmsConnectionFactory() {
      return new CachingConnectionFactory(client());
    }

    @Bean
    Handlers handlers(Works works) {
      return new Handlers(works);
    }

    @Bean
    Typed typed(Seen seen) {
      return new Typed(seen);
    }

    @Bean
    QueueApp.Shipping shipping(JdbcClient jdbc, TransactionalOutbox outbox) {
      return new QueueApp.Shipping(jdbc, outbox);
    }
  }

  private static ConnectionFactory client() {
    return new ActiveMQConnectionFactory(
        "tcp://127.0.0.1:" + TestServers.Jms.ARTEMIS.port() + "?callTimeout=3000");
  }

  private static PGSimpleDataSource dataSource() {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(TestServers.POSTGRES.jdbcUrl());
    dataSource.setCurrentSchema(SCHEMA);
    return dataSource;
  }

  @BeforeAll
  static void start() {
    QueueApp.createTables(new JdbcTemplate(dataSource()), SCHEMA);
    application = startApplication();
  }

  private static ConfigurableApplicationContext startApplication() {
    return Apps.start(
        Application.class,
        SCHEMA,
        "parcels.*",
        "spring.datasource.hikari.schema=" + SCHEMA,
        "test.queue=" + QUEUE,
        "test.typed-queue=" + TYPED,
        "test.news-topic=" + NEWS,
        "test.parking-queue=" + PARKING,
        "holdfast.consumers.parking.parking=true",
        "holdfast.consumers.parking.attempts=1",
        "holdfast.consumers.parking.max-parked=100",
        "shop.orders-queue=" + ORDERS,
        "holdfast.consumers.patient.attempts=2",
        "holdfast.consumers.patient.concurrency=2",
        "holdfast.consumers.patient.dead-letter=" + DEAD,
        "holdfast.consumers.patient.closing-wait=20s",
        "holdfast.consumers.patient.message-ids.retention=2d");
  }

  @AfterAll
  static void stop() {
    Objects.requireNonNull(application).close();
  }

  private static <T> T bean(Class<T> type) {
    return Objects.requireNonNull(application).getBean(type);
  }

  private static void handling(String name, Work work) {
    bean(Works.class).put(name, work);
  }

  private static void send(String queue, String body, Map<String, String> properties) {
    try (JMSContext context = client().createContext()) {
      JMSProducer producer = context.createProducer();
      properties.forEach(producer::setProperty);
      producer.send(context.createQueue(queue), body);
    }
  }

  private static void send(String body) {
    send(QUEUE, body, Map.of());
  }

  private static void eventually(org.awaitility.core.ThrowingRunnable holds) {
    await().atMost(SOON).untilAsserted(holds);
  }

  private List<String> parcels(String like) {
    return outside.queryForList(
        "select id from parcel where id like ? order by id", String.class, like + "%");
  }

  private static @Nullable String take(String queue, long atMostMillis) {
    try (JMSContext context = client().createContext();
        JMSConsumer consumer = context.createConsumer(context.createQueue(queue))) {
      TextMessage message = (TextMessage) consumer.receive(atMostMillis);
      return message == null
          ? null
          : message.getText() + " " + message.getStringProperty("holdfast_reason");
    } catch (JMSException e) {
      throw new IllegalStateException(e);
    }
  }

  private static double meter(String name, String consumer) {
    return bean(MeterRegistry.class)
        .get("holdfast.listener." + name)
        .tag("consumer", consumer)
        .meter()
        .measure()
        .iterator()
        .next()
        .getValue();
  }

  @Test
  void theEffectsTheMessagesAndTheIdAreOneCommitUnderTheMessagesOperation() {
    TransactionalOutbox outbox = bean(TransactionalOutbox.class);
    handling(
        "one",
        (tx, body) -> {
          bean(Shop.class).insert(body + " by JdbcTemplate");
          bean(Shop.class).insertJoining(body + " by @Transactional");
          tx.update("insert into parcel values (?)", body + " by Transaction");
          outbox.publish(Message.of("parcels.sent", "one-outbox", "{}"));
          tx.publish(Message.of("parcels.sent", "one-tx", "{}"));
        });
    send(QUEUE, "one", Map.of("cloudEvents_id", "id-1", "cloudEvents_operationid", "checkout-1"));
    eventually(() -> assertThat(parcels("one")).hasSize(3));

    assertThat(
            outside.queryForList(
                "select key || ' ' || operation_id from message where topic = 'parcels.sent' and key like 'one%' order by position",
                String.class))
        .containsExactly("one-outbox checkout-1", "one-tx checkout-1");
    assertThat(
            outside.queryForList(
                "select distinct x from (select xmin::text from parcel where id like 'one %' union all select xid::text from message where key like 'one-%' union all select xmin::text from inbox_0 where message_id = 'id-1' union all select xmin::text from inbox_1 where message_id = 'id-1' union all select xmin::text from inbox_2 where message_id = 'id-1') as all_of_it(x)",
                String.class))
        .hasSize(1);
    assertThat(
            outside.queryForObject(
                "select retention_ms from inbox_consumer where name = 'patient'", Long.class))
        .isEqualTo(Duration.ofDays(2).toMillis());
  }

  @Test
  void aMessageThatComesTwiceIsHandledOnceAndBothAreTakenFromTheQueue() {
    AtomicInteger calls = new AtomicInteger();
    handling("twice", (tx, body) -> calls.incrementAndGet());
    double before = meter("repeated", "patient");
    send(QUEUE, "twice", Map.of("cloudEvents_id", "id-2"));
    send(QUEUE, "twice", Map.of("cloudEvents_id", "id-2"));

    eventually(() -> assertThat(meter("repeated", "patient") - before).isEqualTo(1));
    assertThat(calls).hasValue(1);
    assertThat(meter("handled", "patient")).isPositive();
    eventually(() -> assertThat(meter("connected", "patient")).isEqualTo(2));
  }

  @Test
  void aMethodThatThrowsLeavesNothingAndItsMessageIsMovedAfterItsAttempts() {
    AtomicInteger calls = new AtomicInteger();
    handling(
        "bad",
        (tx, body) -> {
          calls.incrementAndGet();
          bean(Shop.class).insert(body);
          bean(TransactionalOutbox.class).publish(Message.of("parcels.sent", "bad", "{}"));
          throw new IllegalArgumentException("cannot be shipped");
        });
    send("bad");

    assertThat(take(DEAD, SOON.toMillis())).startsWith("bad ").contains("cannot be shipped");
    assertThat(calls).hasValue(2);
    assertThat(parcels("bad")).isEmpty();
    assertThat(outside.queryForList("select key from message where key = 'bad'")).isEmpty();
    eventually(() -> assertThat(meter("given.up", "patient")).isPositive());
  }

  @Test
  void anInnerTransactionThatIsRollbackOnlyFailsTheMessageThoughItsExceptionIsCaught() {
    AtomicInteger calls = new AtomicInteger();
    handling(
        "inner",
        (tx, body) -> {
          bean(Shop.class).insert(body);
          if (calls.getAndIncrement() == 0) {
            assertThatThrownBy(() -> bean(Shop.class).insertAndFail(body + " failed"))
                .isInstanceOf(IllegalStateException.class);
          }
        });
    send("inner");

    eventually(() -> assertThat(parcels("inner")).containsExactly("inner"));
    assertThat(calls).hasValue(2);
  }

  @Test
  void whatACallbackPublishesInFrontOfTheCommitIsOfTheMessagesOperation() {
    TransactionalOutbox outbox = bean(TransactionalOutbox.class);
    handling(
        "callback",
        (tx, body) ->
            TransactionSynchronizationManager.registerSynchronization(
                new TransactionSynchronization() {
                  @Override
                  public void beforeCommit(boolean readOnly) {
                    outbox.publish(Message.of("parcels.sent", "callback", "{}"));
                  }
                }));
    send(QUEUE, "callback", Map.of("cloudEvents_operationid", "checkout-3"));

    eventually(
        () ->
            assertThat(
                    outside.queryForList(
                        "select operation_id from message where key = 'callback'", String.class))
                .containsExactly("checkout-3"));
  }

  @Test
  void aTopicThatNoChannelTakesIsTheMessagesFailure() {
    handling(
        "unrouted",
        (tx, body) -> {
          bean(Shop.class).insert(body);
          bean(TransactionalOutbox.class).publish(Message.of("unknown", "k", "{}"));
        });
    send("unrouted");

    assertThat(take(DEAD, SOON.toMillis())).startsWith("unrouted ").contains("unknown");
    assertThat(parcels("unrouted")).isEmpty();
  }

  @Test
  void whatIsParkedIsHandledInItsOrderInSpringsTransactionsWhenItsKeyIsReleased() {
    ConsumerParking parking = bean(Holdfast.class).store().consumerParking();
    AtomicBoolean repaired = new AtomicBoolean();
    handling(
        "park",
        (tx, body) -> {
          bean(Shop.class).insert(body + " as " + parcels("park").size());
          if (!repaired.get()) {
            throw new IllegalStateException("not yet");
          }
        });
    send(PARKING, "park one", Map.of("cloudEvents_partitionkey", "k"));
    send(PARKING, "park two", Map.of("cloudEvents_partitionkey", "k"));
    eventually(() -> assertThat(meter("parkings", "parking")).isEqualTo(2));
    assertThat(parcels("park")).isEmpty();

    repaired.set(true);
    Lane lane = parking.all("parking", 10).get(0);
    assertThat(parking.release("parking", PARKING, 0, lane.name(), "test")).isTrue();
    eventually(() -> assertThat(meter("replayed", "parking")).isEqualTo(2));
    assertThat(parcels("park")).containsExactly("park one as 0", "park two as 1");
    assertThat(health()).contains("parked=2");
  }

  @Test
  void whatAMethodCannotReachYetUsesUpNoAttempt() {
    AtomicInteger calls = new AtomicInteger();
    handling(
        "later",
        (tx, body) -> {
          bean(Shop.class).insert(body);
          if (calls.incrementAndGet() < 5) {
            throw new TryAgainLater("not yet");
          }
        });
    send("later");

    eventually(() -> assertThat(parcels("later")).containsExactly("later"));
    assertThat(calls).hasValue(5);
  }

  @Test
  void payloadsAreReadAsJsonWithPropertiesAndAMessageWithoutABodyIsNull() {
    // The subscription is there from then on.
    eventually(() -> assertThat(meter("connected", "news")).isEqualTo(1));
    send(TYPED, "[{\"id\":\"a\",\"cents\":7}]", Map.of("tenant", "north"));
    try (JMSContext context = client().createContext()) {
      context.createProducer().send(context.createQueue(TYPED), context.createMessage());
      context
          .createProducer()
          .send(context.createTopic(NEWS), "bytes".getBytes(StandardCharsets.UTF_8));
    }

    eventually(
        () ->
            assertThat(bean(Seen.class).all)
                .contains("north [Parcel[id=a, cents=7]]", "null null", "bytes"));
  }

  @Test
  void theListenerOfTheManualShipsAndPublishesInOneCommit() {
    send(ORDERS, "{\"id\":\"o1\",\"cents\":7}", Map.of());
    eventually(
        () ->
            assertThat(
                    outside.queryForList(
                        "select s.xmin::text = m.xid::text from shipment s join message m on m.key = s.order_id where m.topic = 'parcels.shipped'",
                        Boolean.class))
                .containsExactly(true));
    assertThat(new OrderPlaced("o1", 7).cents()).isEqualTo(7);
  }

  @Test
  @DisabledForJreRange(
      minVersion = 24,
      disabledReason = "with the Netty that Boot manages Artemis cannot read its journal there")
  void aBrokerThatIsGoneShowsInTheHealthAndIsConnectedToAgain() {
    eventually(() -> assertThat(health()).contains("consumer patient", "JMS queue " + QUEUE));
    eventually(() -> assertThat(health()).doesNotContain("connected=0"));
    TestServers.Jms.ARTEMIS.kill();
    try {
      eventually(() -> assertThat(health()).startsWith("DOWN").contains("connected=0"));
    } finally {
      TestServers.Jms.ARTEMIS.restart();
    }
    handling("again", (tx, body) -> bean(Shop.class).insert(body));
    eventually(() -> assertThat(meter("connected", "patient")).isEqualTo(2));
    send("again");
    eventually(() -> assertThat(parcels("again")).containsExactly("again"));
    eventually(() -> assertThat(health()).doesNotContain("connected=0"));
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class WithoutBroker {
    @Bean
    ConnectionFactory nobody() {
      return new ActiveMQConnectionFactory("tcp://127.0.0.1:1");
    }

    @Bean
    Lonely lonely() {
      return new Lonely();
    }
  }

  static class Lonely {
    @HoldfastJmsListener(consumer = "lonely", queue = "nowhere")
    void handle(String message) {}
  }

  @Test
  void aBrokerThatIsDownDoesNotKeepTheApplicationFromStarting() {
    try (ConfigurableApplicationContext lonely =
        Apps.start(WithoutBroker.class, TestServers.unique("lonely_"), "parcels.*")) {
      assertThat(lonely.isRunning()).isTrue();
      assertThat(health(lonely)).startsWith("DOWN").contains("consumer lonely", "connected=0");
    }
  }

  private static String health() {
    return health(Objects.requireNonNull(application));
  }

  /** In either version of Spring Boot. */
  private static String health(ConfigurableApplicationContext of) {
    Object indicator = of.getBean("holdfastHealthIndicator");
    return String.valueOf(ReflectionTestUtils.<Object>invokeMethod(indicator, "health"));
  }

  @Test
  void aConsumerThatIsStoppedKeepsNoMessageThoughTheApplicationsConnectionIsShared() {
    Consumers consumers = bean(Consumers.class);
    consumers.stop();
    try {
      assertThat(consumers.listeners()).isEmpty();
      assertThat(meter("connected", "patient")).isZero();
      for (String queue : List.of(QUEUE, TYPED, ORDERS)) {
        send(queue, "kept", Map.of());
        assertThat(take(queue, SOON.toMillis())).startsWith("kept ");
      }
    } finally {
      consumers.start();
    }
  }

  @Test
  void theEndWaitsForTheMessageInHandAndTheNextStartGoesOnBehindIt() throws InterruptedException {
    CountDownLatch inHand = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Shop shop = bean(Shop.class);
    handling(
        "last",
        (tx, body) -> {
          inHand.countDown();
          goOn.await();
          shop.insert(body);
        });
    send("last");
    inHand.await();
    ConfigurableApplicationContext closing = Objects.requireNonNull(application);
    Thread end = new Thread(closing::close, "end");
    end.start();
    await()
        .atMost(SOON)
        .until(
            () ->
                end.getState() == Thread.State.WAITING
                    || end.getState() == Thread.State.TIMED_WAITING);
    assertThat(parcels("last")).isEmpty();
    goOn.countDown();
    end.join();

    assertThat(parcels("last")).containsExactly("last");
    application = startApplication();
    handling("last", (tx, body) -> bean(Shop.class).insert(body));
    send("last again");
    eventually(() -> assertThat(parcels("last")).containsExactly("last", "last again"));
  }

  /** The negative control: the same inbox in Holdfast's own transactions. */
  @Test
  void outsideSpringsTransactionWhatAMethodHasDoneStaysThoughItFails() {
    String queue = TestServers.unique("control.");
    AtomicInteger calls = new AtomicInteger();
    try (JmsInbox inbox =
        JmsInbox.start(
            client(),
            JmsDestination.queue(queue),
            bean(Holdfast.class).inbox(queue, InboxSettings.DEFAULT),
            JmsInboxSettings.DEFAULT,
            (tx, message) -> {
              bean(Shop.class).insert("control " + calls.incrementAndGet());
              if (calls.get() == 1) {
                throw new IllegalStateException("fails");
              }
            })) {
      send(queue, "control", Map.of());
      eventually(() -> assertThat(inbox.status().handled()).isEqualTo(1));
    }
    assertThat(parcels("control")).containsExactly("control 1", "control 2");
  }
}
