package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Message;
import dev.holdfast.inbox.TryAgainLater;
import dev.holdfast.spring.ListenerApp.Handlers;
import dev.holdfast.spring.ListenerApp.Shop;
import dev.holdfast.spring.ListenerApp.Work;
import dev.holdfast.spring.health.ConsumerState;
import dev.holdfast.spring.health.OutboxHealth;
import java.lang.reflect.Proxy;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.UnexpectedRollbackException;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** What Spring does in the transaction of a record, and what becomes of it. */
@Tag("extended")
@ExtendWith(OutputCaptureExtension.class)
final class ListenerTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String SCHEMA = TestServers.unique("listening_");
  private static final List<String> TOPICS =
      IntStream.range(0, 30).mapToObj(i -> TestServers.unique("parcels.")).toList();
  private static final String STRICT = TestServers.unique("strict.");
  private static final String TYPED = TestServers.unique("typed.");
  private static final String ORDERS = TestServers.unique("placed.");
  private static final AtomicInteger USED = new AtomicInteger();

  private static @Nullable ConfigurableApplicationContext application;

  private final JdbcTemplate outside = new JdbcTemplate(dataSource());
  private final Shop shop = bean(Shop.class);
  private final TransactionalOutbox outbox = bean(TransactionalOutbox.class);
  private final String topic = TOPICS.get(USED.getAndIncrement());

  private static PGSimpleDataSource dataSource() {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(TestServers.POSTGRES.jdbcUrl());
    dataSource.setCurrentSchema(SCHEMA);
    return dataSource;
  }

  @BeforeAll
  static void start() {
    JdbcTemplate jdbc = new JdbcTemplate(dataSource());
    jdbc.execute("create schema " + SCHEMA);
    jdbc.execute("create table parcel (id text primary key)");
    jdbc.execute(
        "create table checked (id text, constraint only_once unique (id) deferrable initially deferred)");
    TOPICS.forEach(name -> TestServers.Broker.KAFKA.createTopic(name, 1));
    TestServers.Broker.KAFKA.createTopic(STRICT, 1);
    TestServers.Broker.KAFKA.createTopic(TYPED, 1);
    TestServers.Broker.KAFKA.createTopic(ORDERS, 1);
    jdbc.execute("create table reserved_order (order_id text primary key, cents integer)");
    application = startApplication();
  }

  private static ConfigurableApplicationContext startApplication() {
    return Apps.start(
        ListenerApp.Application.class,
        SCHEMA,
        "parcels.*",
        "spring.kafka.bootstrap-servers=" + TestServers.Broker.KAFKA.bootstrapServers(),
        // Those of the application's own listeners are not taken over.
        "spring.kafka.consumer.group-id=other",
        "spring.kafka.consumer.auto-offset-reset=latest",
        "spring.kafka.consumer.client-id=shop",
        "spring.aop.proxy-target-class=false",
        "test.schema=" + SCHEMA,
        "test.topics=" + String.join(", ", TOPICS),
        "test.strict-topic=" + STRICT,
        "test.typed-topic=" + TYPED,
        "shop.orders-topic=" + ORDERS,
        "holdfast.consumers.warehouse.concurrency=2",
        "holdfast.consumers.patient.properties.metadata.max.age.ms=1000",
        "holdfast.consumers.strict.handler-silence=1s",
        "holdfast.consumers.strict.attempts=1");
  }

  @AfterAll
  static void stop() {
    Objects.requireNonNull(application).close();
  }

  private static <T> T bean(Class<T> type) {
    return Objects.requireNonNull(application).getBean(type);
  }

  private void handling(Work work) {
    handling(topic, work);
  }

  private static void handling(String of, Work work) {
    bean(Handlers.class).byTopic.put(of, work);
  }

  private void send(String key, String... values) {
    ListenerApp.send(
        IntStream.range(0, values.length)
            .mapToObj(i -> new ProducerRecord<>(topic, key, values[i]))
            .toList());
  }

  private void awaitHandled(String of, long next) {
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(
                        outside.queryForList(
                            "select next_offset from log_offset where topic = ?", Long.class, of))
                    .containsExactly(next));
  }

  private List<String> parcels(String like) {
    return outside.queryForList(
        "select id from parcel where id like ? order by id", String.class, like + "%");
  }

  private List<String> parked() {
    return outside.queryForList(
        "select convert_from(p.value, 'UTF8') from log_parked p join log_topic t using (consumer, topic_id) where t.topic = ? order by record_offset",
        String.class,
        topic);
  }

  private String reason() {
    return String.valueOf(
        outside.queryForObject("select reason from log_lane where topic = ?", String.class, topic));
  }

  private List<String> published(String of) {
    return outside.queryForList(
        "select key || ' ' || operation_id from message where topic = ? order by position",
        String.class,
        of);
  }

  @Test
  void theEffectsTheMessagesAndTheOffsetAreOneCommitUnderTheRecordsOperation() {
    handling(
        (tx, message, value) -> {
          if (value.equals("named")) {
            outbox.publish("checkout-2", List.of(Message.of("parcels.sent", "named", "{}")));
            return;
          }
          shop.insert(value + " by JdbcTemplate");
          shop.insertJoining(value + " by @Transactional");
          tx.update("insert into parcel values (?)", value + " by Transaction");
          outbox.publish(Message.of("parcels.sent", value + "-outbox", "{}"));
          tx.publish(Message.of("parcels.sent", value + "-tx", "{}"));
        });
    ProducerRecord<String, String> record = new ProducerRecord<>(topic, "k", "one");
    record.headers().add("ce_operationid", "checkout-1".getBytes(UTF_8));
    ListenerApp.send(List.of(record));
    awaitHandled(topic, 1);

    assertThat(parcels("one")).hasSize(3);
    assertThat(published("parcels.sent")).contains("one-outbox checkout-1", "one-tx checkout-1");
    assertThat(
            outside.queryForList(
                "select distinct x from (select xmin::text from parcel where id like 'one %' union all select xid::text from message where key like 'one-%' union all select xmin::text from log_offset where topic = ?) as all_of_it(x)",
                String.class, topic))
        .hasSize(1);

    send("k", "named");
    awaitHandled(topic, 2);
    assertThat(published("parcels.sent")).contains("named checkout-2");
  }

  @Test
  void aMethodThatThrowsLeavesNothingAndIsParkedWithTheLaterOnesOfItsKey() {
    AtomicInteger calls = new AtomicInteger();
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          outbox.publish(Message.of("parcels.sent", value, "{}"));
          if (value.equals("two bad")) {
            calls.incrementAndGet();
            throw new IllegalArgumentException("cannot be shipped");
          }
        });
    ListenerApp.send(
        List.of(
            new ProducerRecord<>(topic, "a", "two before"),
            new ProducerRecord<>(topic, "a", "two bad"),
            new ProducerRecord<>(topic, "b", "two other"),
            new ProducerRecord<>(topic, "a", "two later")));
    awaitHandled(topic, 4);

    assertThat(parcels("two")).containsExactly("two before", "two other");
    assertThat(parked()).containsExactly("two bad", "two later");
    assertThat(reason()).contains("cannot be shipped");
    assertThat(published("parcels.sent"))
        .filteredOn(message -> message.startsWith("two"))
        .hasSize(2);
    // Once in company, three times alone.
    assertThat(calls.get()).isBetween(3, 4);
  }

  @Test
  void anInnerTransactionThatIsRollbackOnlyFailsTheRecordThoughItsExceptionIsCaught() {
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          assertThatThrownBy(() -> shop.insertAndFail(value + " inner"))
              .isInstanceOf(IllegalStateException.class);
        });
    send("k", "three");
    awaitHandled(topic, 1);

    assertThat(parcels("three")).isEmpty();
    assertThat(parked()).containsExactly("three");
    assertThat(reason()).contains("rollback-only").contains("REQUIRES_NEW");
  }

  @Test
  void aTransactionOfItsOwnStaysWhereTheRecordFails() {
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          if (outside.queryForList("select 1 from parcel where id = 'four apart'").isEmpty()) {
            shop.insertApart(value + " apart");
          }
          throw new IllegalStateException("later");
        });
    send("k", "four");
    awaitHandled(topic, 1);

    assertThat(parcels("four")).containsExactly("four apart");
    assertThat(parked()).containsExactly("four");
  }

  @Test
  void whatIsNestedIsRolledBackToItsSavepointWithItsMessages() {
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          outbox.publish(Message.of("parcels.nested", "kept", "{}"));
          assertThatThrownBy(
                  () ->
                      shop.insertNestedAndFail(
                          value + " nested",
                          () -> outbox.publish(Message.of("parcels.nested", "dropped", "{}"))))
              .isInstanceOf(IllegalStateException.class);
        });
    send("k", "five");
    awaitHandled(topic, 1);

    assertThat(parcels("five")).containsExactly("five");
    assertThat(published("parcels.nested")).hasSize(1).first().asString().startsWith("kept ");
    assertThat(parked()).isEmpty();
  }

  @Test
  void transactionalEventListenersAreCalledAtTheRealCommit() {
    AtomicInteger calls = new AtomicInteger();
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          Objects.requireNonNull(application).publishEvent(new ListenerApp.Shipped(value));
          if (calls.getAndIncrement() == 0) {
            throw new IllegalStateException("the first time");
          }
        });
    send("k", "six");
    awaitHandled(topic, 1);

    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(shop.events())
                    .containsExactly("after rollback of six", "after commit of six: 1"));
    assertThat(parcels("before commit of six")).hasSize(1);
    assertThat(parked()).isEmpty();
  }

  @Test
  void aCallbackThatFailsBehindTheCommitIsLoggedAndRepeatsNothing(CapturedOutput output) {
    AtomicInteger calls = new AtomicInteger();
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          calls.incrementAndGet();
          TransactionSynchronizationManager.registerSynchronization(
              new TransactionSynchronization() {
                @Override
                public void afterCommit() {
                  throw new IllegalStateException("too late");
                }
              });
        });
    send("k", "seven");
    awaitHandled(topic, 1);
    handling((tx, message, value) -> shop.insert(value));
    send("k", "seven more");
    awaitHandled(topic, 2);

    assertThat(calls).hasValue(1);
    assertThat(parcels("seven")).containsExactly("seven", "seven more");
    assertThat(output).contains("a callback behind its commit failed").contains("too late");
  }

  @Test
  void whatIsRefusedInFrontOfTheCommitCountsAsTheRecordsFailure() {
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          if (value.equals("eight bad")) {
            beforeCommit(
                () -> {
                  throw new IllegalStateException("not before the commit");
                });
          }
          if (value.equals("eight twice")) {
            tx.update("insert into checked values ('x'), ('x')");
          }
        });
    ListenerApp.send(
        List.of(
            new ProducerRecord<>(topic, "a", "eight"),
            new ProducerRecord<>(topic, "b", "eight bad"),
            new ProducerRecord<>(topic, "c", "eight twice"),
            new ProducerRecord<>(topic, "d", "eight more")));
    awaitHandled(topic, 4);

    assertThat(parcels("eight")).containsExactly("eight", "eight more");
    assertThat(parked()).containsExactly("eight bad", "eight twice");
    assertThat(
            outside.queryForList(
                "select reason from log_lane where topic = ?", String.class, topic))
        .anyMatch(reason -> reason.contains("not before the commit"))
        .anyMatch(reason -> reason.contains("only_once"));
  }

  @Test
  void aTopicThatNoChannelTakesIsTheRecordsFailure() {
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          outbox.publish(Message.of("unknown", "k", "{}"));
        });
    send("k", "nine");
    awaitHandled(topic, 1);

    assertThat(parcels("nine")).isEmpty();
    assertThat(reason()).contains("UnroutedTopic");
  }

  @Test
  void whatIsPublishedThroughTheTransactionGoesWithItsSavepoint() {
    handling(
        (tx, message, value) -> {
          tx.publish(Message.of("parcels.saved", "kept", "{}"));
          assertThatThrownBy(
                  () ->
                      shop.insertNestedAndFail(
                          value + " nested",
                          () -> tx.publish(Message.of("parcels.saved", "nested", "{}"))))
              .isInstanceOf(IllegalStateException.class);
          assertThat(tx.connection()).isEqualTo(tx.connection()).hasSameHashCodeAs(tx.connection());
          Savepoint savepoint = tx.connection().setSavepoint();
          shop.insert(value + " by hand");
          outbox.publish(Message.of("parcels.saved", "by hand", "{}"));
          tx.connection().rollback(savepoint);
        });
    send("k", "savepoint");
    awaitHandled(topic, 1);

    assertThat(parcels("savepoint")).isEmpty();
    assertThat(published("parcels.saved")).hasSize(1).first().asString().startsWith("kept ");
  }

  /** Spring looks whether it may commit before it calls what comes in front of the commit. */
  /** Only the connection of a Transaction parameter refuses it. */
  @Test
  void aCommitAsSqlByJdbcTemplateIsNotSeenAndCommitsHalf() {
    handling(
        (tx, message, value) -> {
          shop.insert(value + " 1");
          shop.execute("commit");
          throw new IllegalStateException("in front of the other half");
        });
    send("k", "halved");
    awaitHandled(topic, 1);
    assertThat(parcels("halved")).containsExactly("halved 1");
    assertThat(parked()).isEmpty();
  }

  @Test
  void aRollbackOnlyThatIsSetInFrontOfTheCommitCommitsNothing() {
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          beforeCommit(
              () ->
                  assertThatThrownBy(() -> shop.insertAndFail(value + " inner"))
                      .isInstanceOf(IllegalStateException.class));
        });
    send("k", "marked");
    awaitHandled(topic, 1);

    assertThat(parcels("marked")).isEmpty();
    assertThat(parked()).containsExactly("marked");
    assertThat(reason()).contains("rollback-only");
  }

  @Test
  void poisonInFrontOfTheCommitIsParkedWhateverItIs() {
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          switch (value) {
            case "poison unrouted" ->
                beforeCommit(() -> outbox.publish(Message.of("unknown", "k", "{}")));
            case "poison error" ->
                beforeCommit(
                    () -> {
                      throw new AssertionError("an error");
                    });
            case "poison table" -> beforeCommit(() -> shop.execute("select 1 from nowhere"));
            case "poison transaction" ->
                beforeCommit(
                    () -> {
                      // Taken by Spring for one of the commit's own.
                      throw new UnexpectedRollbackException("an inner one");
                    });
            case "poison pool" ->
                beforeCommit(
                    () -> {
                      throw new IllegalTransactionStateException("an inner one");
                    });
            default -> {}
          }
        });
    // The waits between attempts grow until a record is handled: hence the good ones in between.
    ListenerApp.send(
        List.of(
            new ProducerRecord<>(topic, "a", "poison unrouted"),
            new ProducerRecord<>(topic, "good", "well a"),
            new ProducerRecord<>(topic, "b", "poison error"),
            new ProducerRecord<>(topic, "good", "well b"),
            new ProducerRecord<>(topic, "c", "poison table"),
            new ProducerRecord<>(topic, "good", "well c"),
            new ProducerRecord<>(topic, "d", "poison transaction"),
            new ProducerRecord<>(topic, "good", "well d"),
            new ProducerRecord<>(topic, "e", "poison pool"),
            new ProducerRecord<>(topic, "f", "poison good")));
    awaitHandled(topic, 10);

    assertThat(parcels("poison")).containsExactly("poison good");
    assertThat(parked())
        .containsExactly(
            "poison unrouted", "poison error", "poison table", "poison transaction", "poison pool");
  }

  @Test
  void whatTheServerLacksIsAnOutageAlsoInSpringsWords() {
    AtomicInteger calls = new AtomicInteger();
    handling(
        STRICT,
        (tx, message, value) -> {
          if (calls.incrementAndGet() < 3) {
            shop.execute("do $$ begin raise exception 'disk full' using errcode = '53100'; end $$");
          }
          shop.insert(value);
        });
    ListenerApp.send(List.of(new ProducerRecord<>(STRICT, "full", "full")));
    await().atMost(SOON).until(() -> parcels("full").size() == 1);
    assertThat(calls).hasValue(3);
  }

  @Test
  void anErrorThatAHandlerKeepsToItselfIsItsRecordsFailure() {
    handling(
        (tx, message, value) -> {
          if (value.equals("kept held")) {
            throw new IllegalArgumentException("cannot be shipped");
          }
          if (value.equals("kept bad")) {
            assertThatThrownBy(() -> shop.execute("select 1 from nowhere"))
                .isInstanceOf(RuntimeException.class);
          }
        });
    send("a", "kept held");
    awaitHandled(topic, 1);
    ListenerApp.send(
        List.of(
            new ProducerRecord<>(topic, "b", "kept bad"),
            new ProducerRecord<>(topic, "a", "kept held, too")));
    awaitHandled(topic, 3);
    assertThat(parked()).containsExactly("kept held", "kept bad", "kept held, too");
  }

  private static void beforeCommit(Runnable work) {
    TransactionSynchronizationManager.registerSynchronization(
        new TransactionSynchronization() {
          @Override
          public void beforeCommit(boolean readOnly) {
            work.run();
          }
        });
  }

  @Test
  void aDeadlockAndWhatIsTriedLaterUseUpNoAttempt() {
    AtomicInteger calls = new AtomicInteger();
    handling(
        STRICT,
        (tx, message, value) -> {
          shop.insert(value);
          switch (calls.incrementAndGet()) {
            case 1 ->
                shop.execute(
                    "do $$ begin raise exception 'deadlock' using errcode = '40P01'; end $$");
            case 2 -> throw new TryAgainLater("the carrier is out of reach");
            default -> shop.insert(value + " in the end");
          }
        });
    ListenerApp.send(List.of(new ProducerRecord<>(STRICT, "k", "ten")));
    await().atMost(SOON).until(() -> parcels("ten").size() == 2);

    assertThat(calls).hasValue(3);
    assertThat(parcels("ten")).containsExactly("ten", "ten in the end");
    assertThat(
            outside.queryForList("select 1 from log_lane where topic = ? and lane = 'k:k'", STRICT))
        .isEmpty();
  }

  @Test
  void aMethodThatLeavesItsTransactionAloneForTooLongIsParkedAndNotWaitedFor() {
    AtomicInteger calls = new AtomicInteger();
    CountDownLatch never = new CountDownLatch(1);
    handling(
        STRICT,
        (tx, message, value) -> {
          if (value.equals("silent")) {
            calls.incrementAndGet();
            assertThat(never.await(2500, TimeUnit.MILLISECONDS)).isFalse();
          }
        });
    ListenerApp.send(List.of(new ProducerRecord<>(STRICT, "silent", "silent")));
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(
                        outside.queryForList(
                            "select reason from log_lane where topic = ? and lane = 'k:silent'",
                            String.class,
                            STRICT))
                    .singleElement()
                    .asString()
                    .contains("left its transaction alone"));

    assertThat(calls).hasValue(1);
  }

  @Test
  void aLostReplyToTheCommitRepeatsNothing() {
    ListenerApp.LosingReplies dataSource = bean(ListenerApp.LosingReplies.class);
    AtomicInteger calls = new AtomicInteger();
    handling(
        (tx, message, value) -> {
          calls.incrementAndGet();
          shop.insert(value);
          if (value.equals("eleven")) {
            dataSource.losing.set(Thread.currentThread());
          }
        });
    send("k", "eleven");
    awaitHandled(topic, 1);
    send("k", "eleven more");
    awaitHandled(topic, 2);

    assertThat(dataSource.losing).hasValue(null);
    assertThat(calls).hasValue(2);
    assertThat(parcels("eleven")).containsExactly("eleven", "eleven more");
    assertThat(parked()).isEmpty();
  }

  @Test
  void payloadsAndHeadersAreReadAndAJdkProxyIsCalled() {
    ProducerRecord<String, String> parcels =
        new ProducerRecord<>(TYPED, "k", "[{\"id\":\"p1\",\"cents\":7}]");
    parcels.headers().add("tenant", "north".getBytes(UTF_8));
    ListenerApp.send(
        List.of(
            parcels,
            new ProducerRecord<>(TYPED, "k", "[{\"id\":\"p2\",\"cents\":8}]"),
            new ProducerRecord<>(TYPED, "broken", "no JSON")));
    awaitHandled(TYPED, 3);

    Object listener = bean(ListenerApp.Typed.class);
    assertThat(Proxy.isProxyClass(listener.getClass())).isTrue();
    List<String> seen =
        ((ListenerApp.TypedListener)
                Objects.requireNonNull(AopProxyUtils.getSingletonTarget(listener)))
            .seen;
    assertThat(seen).contains("north p1 7", "null p2 8");
    assertThat(
            outside.queryForList(
                "select convert_from(value, 'UTF8') from log_parked where consumer = 'typed'",
                String.class))
        .containsExactly("no JSON");
  }

  @Test
  void theListenerOfTheManualReservesAndPublishesInOneCommit() {
    ListenerApp.send(List.of(new ProducerRecord<>(ORDERS, "o1", "{\"id\":\"o1\",\"cents\":7}")));
    awaitHandled(ORDERS, 1);

    assertThat(
            outside.queryForList(
                "select r.xmin::text = m.xid::text from reserved_order r join message m on m.key = r.order_id where m.topic = 'parcels.reserved'",
                Boolean.class))
        .containsExactly(true);
  }

  @Test
  void aPartitionThatIsStoppedShowsInTheState() {
    handling((tx, message, value) -> shop.insert(value));
    send("k", "stopped");
    awaitHandled(topic, 1);
    outside.update("update log_offset set stopped = 'a question' where topic = ?", topic);

    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(bean(ConsumerState.All.class).get())
                    .filteredOn(state -> state.consumer().equals("patient"))
                    .singleElement()
                    .satisfies(
                        state -> {
                          assertThat(state.partitions()).isEqualTo(TOPICS.size());
                          assertThat(state.stopped()).containsEntry(topic + "-0", "a question");
                          assertThat(OutboxHealth.of(List.of()).with(List.of(state)).well())
                              .isFalse();
                        }));
  }

  @Test
  void manyRecordsShareTransactionsAndEachPublishesUnderItsOwnOperation() {
    List<String> order = new CopyOnWriteArrayList<>();
    handling(
        (tx, message, value) -> {
          shop.insert(value);
          order.add(value);
          outbox.publish(Message.of("parcels.many", value, "{}"));
        });
    ListenerApp.send(
        IntStream.range(0, 200)
            .mapToObj(i -> new ProducerRecord<>(topic, "k", "twelve-%03d".formatted(i)))
            .toList());
    awaitHandled(topic, 200);

    assertThat(order).hasSize(200).isSorted();
    assertThat(
            outside.queryForObject(
                "select count(distinct operation_id) from message where topic = 'parcels.many'",
                Long.class))
        .isEqualTo(200);
    assertThat(
            outside.queryForObject(
                "select count(distinct xmin::text) from parcel where id like 'twelve%'",
                Long.class))
        .isLessThan(20);
  }

  @Test
  void theEndWaitsForTheRecordInHandAndTheNextStartGoesOnBehindIt(CapturedOutput output)
      throws InterruptedException {
    CountDownLatch inHand = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    handling(
        (tx, message, value) -> {
          inHand.countDown();
          goOn.await();
          shop.insert(value);
        });
    send("k", "thirteen");
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
    assertThat(parcels("thirteen")).isEmpty();
    goOn.countDown();
    end.join();

    assertThat(parcels("thirteen")).containsExactly("thirteen");
    application = startApplication();
    handling((tx, message, value) -> bean(Shop.class).insert(value));
    send("k", "thirteen again");
    awaitHandled(topic, 2);
    assertThat(parcels("thirteen")).containsExactly("thirteen", "thirteen again");
    // Of ours; Kafka's client has others, of topics that are new.
    assertThat(output).doesNotContainPattern("ERROR +\\[holdfast-");
  }
}
