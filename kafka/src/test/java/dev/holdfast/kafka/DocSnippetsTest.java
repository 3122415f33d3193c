package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.InvalidMessage;
import dev.holdfast.Isolation;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.SchemaMismatch;
import dev.holdfast.StaleVersion;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.TransactionOptions;
import dev.holdfast.UnroutedTopic;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Receipt;
import dev.holdfast.inbox.Reply;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import dev.holdfast.outbox.store.ParkedMessage;
import dev.holdfast.outbox.store.Store;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * What the manual shows, on real servers. The text between {@code // snippet:NAME} and {@code //
 * end} is what a page shows under that name; {@link DocsTest} compares the two.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class DocSnippetsTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  private final HikariDataSource dataSource = TestServers.pool(TestServers.POSTGRES.jdbcUrl());
  private final Orders orders = new Orders();
  private final Holdfast holdfast = begin();

  /** An order of the example shop. */
  record Order(String id, long cents) {
    String json() {
      return "{\"id\":\"" + id + "\",\"cents\":" + cents + "}";
    }
  }

  /** The example's own persistence: plain JDBC. */
  static final class Orders {
    void save(Connection connection, Order order) throws SQLException {
      try (PreparedStatement insert =
          connection.prepareStatement("insert into shop_order (id, cents) values (?, ?)")) {
        insert.setString(1, order.id());
        insert.setLong(2, order.cents());
        insert.executeUpdate();
      }
    }
  }

  /** The same table as an entity. */
  @Entity
  @Table(name = "shop_order")
  static class OrderEntity {
    @Id
    @SuppressWarnings("NullAway.Init")
    private String id;

    @SuppressWarnings("UnusedVariable")
    private long cents;

    @SuppressWarnings("NullAway.Init")
    protected OrderEntity() {}

    OrderEntity(Order order) {
      this.id = order.id();
      this.cents = order.cents();
    }
  }

  private Holdfast begin() {
    for (String topic : List.of("orders.placed", "orders.changed", "orders.reminder")) {
      TestServers.KAFKA.createTopic(topic, 2);
    }
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create table shop_order (id text primary key, cents bigint not null default 0,"
              + " status text not null default 'NEW', version integer not null default 1)");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return start(dataSource, TestServers.KAFKA.bootstrapServers());
  }

  private static Holdfast start(DataSource dataSource, String bootstrapServers) {
    // snippet:start
    Holdfast holdfast =
        Holdfast.on(dataSource)
            .channel("orders", Kafka.to(Map.of("bootstrap.servers", bootstrapServers)), "orders.*")
            .start();
    // end
    return holdfast;
  }

  @BeforeAll
  void leads() {
    await().atMost(SOON).until(() -> holdfast.store().channels().status("orders").leader() != null);
  }

  @AfterAll
  void end() {
    holdfast.close();
    dataSource.close();
  }

  private static Order newOrder() {
    return new Order(UUID.randomUUID().toString(), 1_999);
  }

  private static String sql(String name) throws IOException {
    return DocPages.sql(name);
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static List<ConsumerRecord<String, String>> arrived(String topic, String key) {
    return TestServers.readCommitted(topic).stream()
        .filter(record -> key.equals(record.key()))
        .toList();
  }

  private static void awaitArrival(String topic, String key) {
    await().atMost(SOON).untilAsserted(() -> assertThat(arrived(topic, key)).hasSize(1));
  }

  @Test
  void theFailingCodeOfTheReadmeWorksAsLongAsNothingFails() throws SQLException {
    Order order = newOrder();
    try (KafkaProducer<String, String> producer =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers()),
                new StringSerializer(),
                new StringSerializer());
        Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      // snippet:dual-write
      orders.save(connection, order);
      connection.commit();
      // A crash here: the order exists, and nobody will ever hear of it.
      producer.send(new ProducerRecord<>("orders.placed", order.id(), order.json()));
      // end
      producer.flush();
    }
    awaitArrival("orders.placed", order.id());
  }

  @Test
  void aTransactionOfHoldfastsOwn() {
    Order order = newOrder();
    // snippet:transact
    holdfast.transact(
        tx -> {
          orders.save(tx.connection(), order);
          tx.publish(Message.of("orders.placed", order.id(), order.json()));
        });
    // end
    awaitArrival("orders.placed", order.id());
  }

  @Test
  void aTransactionThatSomebodyElseManages() throws SQLException {
    Order order = newOrder();
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      // snippet:publish-connection
      orders.save(connection, order);
      holdfast.publish(connection, Message.of("orders.placed", order.id(), order.json()));
      connection.commit();
      // end
    }
    awaitArrival("orders.placed", order.id());
  }

  @Test
  void severalMessagesInOneCall() throws SQLException {
    Order order = newOrder();
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      orders.save(connection, order);
      // snippet:publish-together
      holdfast.publish(
          connection,
          List.of(
              Message.of("orders.placed", order.id(), order.json()),
              Message.of("orders.changed", order.id(), "{\"status\":\"NEW\"}")));
      connection.commit();
      // end
    }
    awaitArrival("orders.placed", order.id());
    awaitArrival("orders.changed", order.id());
  }

  @Test
  void everythingAMessageCanSay() {
    Order order = newOrder();
    UUID id = UUID.randomUUID();
    String traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    holdfast.transact(
        tx -> {
          // snippet:message
          tx.publish(
              Message.to("orders.reminder")
                  .id(id)
                  .key(order.id())
                  .type("com.example.OrderReminder")
                  .json(order.json())
                  .header("tenant", "acme")
                  .traceparent(traceparent)
                  .deliverAt(Instant.now().plus(Duration.ofSeconds(1)))
                  .dedupeKey("reminder-" + order.id())
                  .build());
          // end
        });
    holdfast.transact(
        tx ->
            tx.publish(
                Message.to("orders.reminder")
                    .key(order.id())
                    .json("{}")
                    .dedupeKey("reminder-" + order.id())
                    .build()));
    awaitArrival("orders.reminder", order.id());
    ConsumerRecord<String, String> record = arrived("orders.reminder", order.id()).get(0);
    assertThat(header(record, "ce_id")).isEqualTo(id.toString());
    assertThat(header(record, "ce_type")).isEqualTo("com.example.OrderReminder");
    assertThat(header(record, "tenant")).isEqualTo("acme");
    assertThat(header(record, "traceparent")).isEqualTo(traceparent);
  }

  private static String header(ConsumerRecord<String, String> record, String name) {
    return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  @Test
  void anOutcomeThatIsUnknownIsAskedAbout() {
    Order order = newOrder();
    assertThat(place(order)).isTrue();
    awaitArrival("orders.placed", order.id());
  }

  // snippet:unknown
  boolean place(Order order) {
    try {
      holdfast.transact(
          TransactionOptions.DEFAULT.withOperationId(order.id()),
          tx -> {
            orders.save(tx.connection(), order);
            tx.publish(Message.of("orders.placed", order.id(), order.json()));
          });
      return true;
    } catch (OutcomeUnknown e) {
      Outcome outcome = e.resolve();
      if (outcome instanceof Outcome.Committed) {
        return true;
      }
      if (outcome instanceof Outcome.Rejected) {
        return false; // never committed, and never will be: safe to do again
      }
      throw e; // still not known: ask resolve() again later, and do not do it again before
    }
  }

  // end

  @Test
  void anUpdateThatExpectsAVersion() {
    Order order = newOrder();
    holdfast.transact(tx -> orders.save(tx.connection(), order));
    int versionRead = 1;
    // snippet:expected-version
    holdfast.transact(
        TransactionOptions.DEFAULT.withIsolation(Isolation.REPEATABLE_READ).withAttempts(3),
        tx -> {
          tx.updateExpected(
              "update shop_order set status = ?, version = version + 1"
                  + " where id = ? and version = ?",
              "PAID",
              order.id(),
              versionRead);
          tx.publish(Message.of("orders.changed", order.id(), "{\"status\":\"PAID\"}"));
        });
    // end
    awaitArrival("orders.changed", order.id());
    assertThatThrownBy(
            () ->
                holdfast.transact(
                    tx ->
                        tx.updateExpected(
                            "update shop_order set version = 3 where id = ? and version = ?",
                            order.id(),
                            versionRead)))
        .isInstanceOf(StaleVersion.class);
  }

  @Test
  void aSavepointDropsWhatWasPublishedAfterIt() {
    Order order = newOrder();
    holdfast.transact(
        tx -> {
          // snippet:savepoint
          tx.publish(Message.of("orders.placed", order.id(), order.json()));
          var savepoint = tx.connection().setSavepoint();
          tx.publish(Message.of("orders.changed", order.id(), "{\"status\":\"GIFT\"}"));
          tx.connection().rollback(savepoint);
          // Only orders.placed is delivered.
          // end
        });
    awaitArrival("orders.placed", order.id());
    assertThat(arrived("orders.changed", order.id())).isEmpty();
  }

  @Test
  void kafkaInbox() throws Exception {
    TestServers.KAFKA.createTopic("shipments.ordered", 2);
    String bootstrapServers = TestServers.KAFKA.bootstrapServers();
    // snippet:kafka-inbox
    KafkaInbox shipping =
        KafkaInbox.start(
            holdfast,
            "shipping",
            Map.of("bootstrap.servers", bootstrapServers),
            KafkaInboxSettings.DEFAULT,
            List.of("shipments.ordered"),
            (tx, message) -> {
              String orderId = new String(message.key(), StandardCharsets.UTF_8);
              tx.update("update shop_order set status = 'SHIPPED' where id = ?", orderId);
              tx.publish(Message.of("orders.changed", orderId, "{\"status\":\"SHIPPED\"}"));
            });
    // end
    try (shipping;
        KafkaProducer<String, String> producer =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers),
                new StringSerializer(),
                new StringSerializer())) {
      holdfast.transact(tx -> orders.save(tx.connection(), new Order("consumed", 1)));
      producer.send(new ProducerRecord<>("shipments.ordered", "consumed", "{}")).get();
      awaitArrival("orders.changed", "consumed");
    }
  }

  @Test
  void kafkaBatch() throws Exception {
    TestServers.KAFKA.createTopic("meters.read", 2);
    String bootstrapServers = TestServers.KAFKA.bootstrapServers();
    holdfast.transact(tx -> tx.update("create table meter_reading (meter text, reading text)"));
    // snippet:kafka-batch
    KafkaInbox readings =
        KafkaInbox.startBatch(
            holdfast,
            "readings",
            Map.of("bootstrap.servers", bootstrapServers, "max.poll.records", 2_000),
            KafkaInboxSettings.DEFAULT,
            List.of("meters.read"),
            (tx, messages) -> {
              String insert = "insert into meter_reading (meter, reading) values (?, ?)";
              try (PreparedStatement rows = tx.connection().prepareStatement(insert)) {
                for (ConsumerRecord<byte[], byte[]> message : messages) {
                  rows.setString(1, new String(message.key(), StandardCharsets.UTF_8));
                  rows.setString(2, new String(message.value(), StandardCharsets.UTF_8));
                  rows.addBatch();
                }
                rows.executeBatch();
              }
            });
    // end
    try (readings;
        KafkaProducer<String, String> producer =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers),
                new StringSerializer(),
                new StringSerializer())) {
      for (int i = 0; i < 10; i++) {
        producer.send(new ProducerRecord<>("meters.read", "m" + i, "7"));
      }
      producer.flush();
      await()
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  holdfast.<Integer>transactReturning(
                          tx -> tx.update("update meter_reading set reading = reading"))
                      == 10);
    }
  }

  @Test
  void anIncomingMessageIsHandledOnce() {
    Order order = newOrder();
    Receipt first = receive(order.id(), order.json());
    Receipt again = receive(order.id(), order.json());
    assertThat(first.repeated()).isFalse();
    assertThat(again.repeated()).isTrue();
    assertThat(again.reply()).isEqualTo(first.reply());
    awaitArrival("orders.changed", order.id());
    assertThat(arrived("orders.changed", order.id())).hasSize(1);
  }

  private Receipt receive(String orderId, String body) {
    // snippet:inbox
    Inbox shipping =
        holdfast.inbox(
            "shipping",
            InboxSettings.DEFAULT
                .withRetention(Duration.ofDays(14))
                .withRedelivery(Duration.ofDays(7)));
    Incoming message = Incoming.of("ship-" + orderId).saying(body.getBytes(StandardCharsets.UTF_8));
    Receipt receipt =
        shipping.once(
            message,
            tx -> {
              tx.update("update shop_order set status = 'SHIPPED' where id = ?", orderId);
              tx.publish(Message.of("orders.changed", orderId, "{\"status\":\"SHIPPED\"}"));
              return Reply.json("{\"shipment\":\"" + orderId + "-1\"}");
            });
    // receipt.reply() is the same however often the message comes.
    // end
    return receipt;
  }

  @Test
  void theSettingsOfAStore() {
    try (Holdfast configured = configure(dataSource, "holdfast_settings")) {
      assertThat(configured.status()).isEmpty();
    }
  }

  private static Holdfast configure(DataSource dataSource, String schema) {
    // snippet:settings
    Holdfast holdfast =
        Holdfast.on(dataSource)
            .schema(schema)
            .retention(Duration.ofHours(6))
            .dedupeWindow(Duration.ofDays(2))
            .maxPayloadBytes(500_000)
            .relay(RelaySettings.DEFAULT.withLeaseDuration(Duration.ofSeconds(3)))
            .start();
    // end
    return holdfast;
  }

  @Test
  void anOperatorPausesLooksReplaysAndSkips() throws InterruptedException {
    Order order = newOrder();
    holdfast.transact(tx -> tx.publish(Message.of("orders.missing", order.id(), "{}")));
    holdfast.transact(tx -> tx.publish(Message.of("orders.changed", order.id(), "{}")));
    Store store = holdfast.store();
    await().atMost(SOON).until(() -> store.parking().list("orders", 10).size() == 2);
    // snippet:operate
    List<ParkedMessage> parked = holdfast.store().parking().list("orders", 100);
    ParkedMessage first = parked.get(0);
    holdfast
        .store()
        .parking()
        .skip("orders", first.message().position(), "ann", "topic was a typo");
    holdfast.store().parking().orderUnpark("orders", first.lane(), "ann");
    ChannelStatus status = holdfast.store().channels().status("orders");
    // end
    assertThat(first.reason()).contains("orders.missing");
    assertThat(status.parkedLanes()).isEqualTo(1);
    awaitArrival("orders.changed", order.id());
    // snippet:pause
    holdfast.store().channels().setState("orders", ChannelState.PAUSED, "ann", "broker upgrade");
    holdfast.store().channels().setState("orders", ChannelState.RUNNING, "ann", null);
    // end
    assertThat(store.channels().state("orders")).contains(ChannelState.RUNNING);
  }

  @Test
  void theFunctionForOtherLanguages() throws IOException, SQLException {
    execute(sql("sql-publish"));
    awaitArrival("orders.placed", "4711");
  }

  @Test
  void theEventsOfAnOperationCanBeAskedForBySqlAndBySomebodyWhoSeesNothingElse()
      throws IOException, SQLException {
    execute(sql("grant-operations"));
    holdfast.transact(
        TransactionOptions.DEFAULT.withOperationId("order-4711"),
        tx -> tx.publish(Message.of("orders.placed", "asked", "{}")));
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("set local role support");
      try (ResultSet row = statement.executeQuery(sql("operation-events"))) {
        assertThat(row.next()).isTrue();
        assertThat(row.getString("what")).isEqualTo("commit");
        assertThat(row.next()).isTrue();
        assertThat(row.getString("what")).isEqualTo("record orders.placed");
      }
      connection.rollback();
    }
  }

  @Test
  void aTriggerPublishes() throws IOException, SQLException {
    execute(sql("trigger"));
    Order order = newOrder();
    holdfast.transact(tx -> orders.save(tx.connection(), order));
    assertThat(arrived("orders.changed", order.id())).isEmpty();
    execute("update shop_order set status = 'PAID' where id = '" + order.id() + "'");
    awaitArrival("orders.changed", order.id());
    execute("drop trigger order_changed on shop_order");
  }

  @Test
  void theRolesThatArePrintedCanBeGranted() throws IOException, SQLException {
    execute(holdfast.store().schema().printRoles());
    execute("create user shop password 'shop'");
    execute(sql("grant"));
    execute("grant select, insert on shop_order to shop");
    Order order = newOrder();
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("set local role shop");
      orders.save(connection, order);
      holdfast.publish(connection, Message.of("orders.placed", order.id(), order.json()));
      connection.commit();
    }
    awaitArrival("orders.placed", order.id());
    aRelaysRightsSufficeToDeliverAndAnOperatorsToOperate();
  }

  private void aRelaysRightsSufficeToDeliverAndAnOperatorsToOperate() {
    TestServers.KAFKA.createTopic("invoices.sent", 1);
    try (HikariDataSource relays = as("holdfast_relay");
        HikariDataSource operators = as("holdfast_admin");
        Holdfast relay =
            Holdfast.on(relays)
                .channel("invoices", TestServers.target(), "invoices.*")
                .retention(Duration.ofHours(1))
                .start();
        Holdfast operator = Holdfast.on(operators).start()) {
      relay.transact(tx -> tx.publish(Message.of("invoices.sent", "a", "{}")));
      awaitArrival("invoices.sent", "a");
      relay.transact(tx -> tx.publish(Message.of("invoices.unknown", "b", "{}")));
      Store store = operator.store();
      await().atMost(SOON).until(() -> store.parking().list("invoices", 10).size() == 1);
      long position = store.parking().list("invoices", 10).get(0).message().position();
      store.parking().skip("invoices", position, "ann", "typo");
      store.parking().orderUnpark("invoices", "k:b", "ann");
      await().atMost(SOON).until(() -> store.channels().status("invoices").parkedLanes() == 0);
      store.parking().orderPark("invoices", "k:c", "ann", "wait");
      store.channels().setState("invoices", ChannelState.PAUSED, "ann", "upgrade");
      await().atMost(SOON).until(() -> store.channels().status("invoices").leader() == null);
      assertThat(store.channels().closeRoute("invoices", "invoices.*")).isTrue();
    }
  }

  private static HikariDataSource as(String role) {
    HikariDataSource pool = new HikariDataSource();
    pool.setJdbcUrl(TestServers.POSTGRES.jdbcUrl());
    pool.setConnectionInitSql("set role " + role);
    return pool;
  }

  @Test
  void springsTransaction() {
    Order order = newOrder();
    TransactionTemplate transactions =
        new TransactionTemplate(new DataSourceTransactionManager(dataSource));
    // snippet:spring
    transactions.executeWithoutResult(
        status -> {
          Connection connection = DataSourceUtils.getConnection(dataSource);
          try {
            orders.save(connection, order);
            holdfast.publish(connection, Message.of("orders.placed", order.id(), order.json()));
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
          }
        });
    // end
    awaitArrival("orders.placed", order.id());
  }

  @Test
  void jooqsTransaction() {
    Order order = newOrder();
    DSLContext jooq = DSL.using(dataSource, SQLDialect.POSTGRES);
    // snippet:jooq
    jooq.transaction(
        configuration -> {
          DSLContext sql = DSL.using(configuration);
          sql.execute(
              "insert into shop_order (id, cents) values (?, ?)", order.id(), order.cents());
          sql.connection(
              connection ->
                  holdfast.publish(
                      connection, Message.of("orders.placed", order.id(), order.json())));
        });
    // end
    awaitArrival("orders.placed", order.id());
  }

  @Test
  void hibernatesTransaction() {
    System.setProperty("org.jboss.logging.provider", "slf4j");
    Order order = newOrder();
    Configuration configuration = new Configuration().addAnnotatedClass(OrderEntity.class);
    configuration.getProperties().put("hibernate.connection.datasource", dataSource);
    try (SessionFactory factory = configuration.buildSessionFactory();
        EntityManager entityManager = factory.createEntityManager()) {
      // snippet:jpa
      entityManager.getTransaction().begin();
      entityManager.persist(new OrderEntity(order));
      entityManager
          .unwrap(Session.class)
          .doWork(
              connection ->
                  holdfast.publish(
                      connection, Message.of("orders.placed", order.id(), order.json())));
      entityManager.getTransaction().commit();
      // end
    }
    awaitArrival("orders.placed", order.id());
  }

  @Test
  void tablesThatAnotherToolManages() throws SQLException {
    String schema = "holdfast_by_hand";
    try (Holdfast printer = Holdfast.on(dataSource).schema("holdfast_printer").start()) {
      execute(printer.store().schema().print(0).replace("holdfast_printer", schema));
    }
    try (Holdfast managed = managedElsewhere(dataSource, schema)) {
      assertThat(managed.store().schema().status()).allMatch(migration -> migration.applied());
    }
    assertThatThrownBy(
            () -> Holdfast.on(dataSource).schema("nowhere").schemaManagedElsewhere().start())
        .isInstanceOf(SchemaMismatch.class)
        .hasMessageContaining("holdfast schema migrate");
  }

  private static Holdfast managedElsewhere(DataSource dataSource, String schema) {
    // snippet:managed-elsewhere
    Holdfast holdfast = Holdfast.on(dataSource).schema(schema).schemaManagedElsewhere().start();
    // end
    return holdfast;
  }

  @Test
  void kafkaWithTlsAndSasl() {
    assertThat(secured("broker.example:9093", "secret").description())
        .isEqualTo("kafka broker.example:9093");
    assertThatThrownBy(() -> Kafka.to(Map.of("bootstrap.servers", "x:1", "acks", "1")))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> Kafka.to(Map.of("bootstrap.servers", "x:1", "transactional.id", "t")))
        .isInstanceOf(InvalidConfiguration.class);
  }

  private static KafkaTarget secured(String bootstrapServers, String password) {
    // snippet:tls
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", bootstrapServers);
    settings.put("security.protocol", "SASL_SSL");
    settings.put("sasl.mechanism", "SCRAM-SHA-512");
    settings.put(
        "sasl.jaas.config",
        "org.apache.kafka.common.security.scram.ScramLoginModule required"
            + " username=\"relay\" password=\""
            + password
            + "\";");
    settings.put("compression.type", "zstd");
    KafkaTarget target =
        Kafka.to(settings).progressTopic("shop-progress").source("https://shop.example/orders");
    // end
    return target;
  }

  @Test
  void kafkaWithoutTransactions() {
    assertThat(plain(TestServers.KAFKA.bootstrapServers()).capabilities()).hasSize(1);
  }

  private static KafkaTarget plain(String bootstrapServers) {
    // snippet:plain
    KafkaTarget target = Kafka.to(Map.of("bootstrap.servers", bootstrapServers)).plain();
    // end
    return target;
  }

  @Test
  void aConsumerThatReadsWhatIsCommitted() {
    Order order = newOrder();
    holdfast.transact(tx -> tx.publish(Message.of("orders.placed", order.id(), order.json())));
    // snippet:consumer
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers", TestServers.KAFKA.bootstrapServers(),
            "group.id", "shipping",
            "auto.offset.reset", "earliest",
            "isolation.level", "read_committed");
    // end
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of("orders.placed"));
      await()
          .atMost(SOON)
          .until(
              () -> {
                for (ConsumerRecord<String, String> record :
                    consumer.poll(Duration.ofMillis(200))) {
                  if (order.id().equals(record.key())) {
                    return true;
                  }
                }
                return false;
              });
    }
  }

  @Test
  void badInputIsAnsweredAsTheManualSays() throws SQLException {
    Message message = Message.of("orders.placed", "bad-input", "{}");
    try (Connection autocommit = dataSource.getConnection()) {
      assertThatThrownBy(() -> holdfast.publish(autocommit, message))
          .isInstanceOf(NoTransaction.class);
      autocommit.close();
      assertThatThrownBy(() -> holdfast.publish(autocommit, message))
          .isInstanceOf(NoTransaction.class);
    }
    assertThatThrownBy(() -> holdfast.transact(tx -> tx.publish(Message.of("bills", "k", "{}"))))
        .isInstanceOf(UnroutedTopic.class);
    assertThatThrownBy(() -> Message.of("orders placed", "k", "{}"))
        .isInstanceOf(InvalidMessage.class);
    assertThatThrownBy(() -> Message.of("orders.placed", "k".repeat(513), "{}"))
        .isInstanceOf(InvalidMessage.class);
    assertThatThrownBy(
            () ->
                holdfast.transact(
                    tx -> tx.publish(Message.of("orders.placed", "k", new byte[1_000_001]))))
        .isInstanceOf(InvalidMessage.class);
    assertThatThrownBy(() -> Holdfast.on(dataSource).schema("Robert'); drop").start())
        .isInstanceOf(InvalidConfiguration.class);
    try (HikariDataSource nowhere = new HikariDataSource()) {
      nowhere.setJdbcUrl("jdbc:postgresql://127.0.0.1:1/postgres");
      nowhere.setConnectionTimeout(500);
      nowhere.setInitializationFailTimeout(-1);
      assertThatThrownBy(() -> Holdfast.on(nowhere).start()).isInstanceOf(StoreUnavailable.class);
    }
    assertThat(arrived("orders.placed", "bad-input")).isEmpty();
  }
}
