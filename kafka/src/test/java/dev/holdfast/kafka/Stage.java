package dev.holdfast.kafka;

import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.postgres.PostgresStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A shop with a schema and a topic of its own, whose orders no relay delivers yet. */
final class Stage implements AutoCloseable {
  static final Duration SOON = Duration.ofSeconds(90);

  final String jdbcUrl;
  final KafkaServer broker;
  final String schema;
  final String topic;
  final HikariDataSource pool;
  final PostgresStore store;
  final Holdfast writer;
  final Shop shop;

  Stage(String name) {
    this(name, TestServers.POSTGRES);
  }

  Stage(String name, PostgresServer server) {
    this(name, server.jdbcUrl(), TestServers.KAFKA);
  }

  Stage(String name, String jdbcUrl, KafkaServer broker) {
    this.jdbcUrl = jdbcUrl;
    this.broker = broker;
    this.schema = TestServers.unique(name + "_");
    this.topic = TestServers.unique(name);
    this.pool = TestServers.pool(jdbcUrl);
    this.store = PostgresStore.open(pool, schema);
    store.schema().migrate();
    store.channels().register("orders", List.of(topic + "*"));
    broker.createTopic(topic, 2);
    this.writer = Holdfast.on(pool).schema(schema).schemaManagedElsewhere().start();
    this.shop = new Shop(pool, writer, schema, topic, broker.bootstrapServers());
  }

  /** A relay in this process, to be configured further. */
  Holdfast.Builder relay() {
    return Holdfast.on(pool)
        .schema(schema)
        .relay(RelayProcess.settings())
        .channel("orders", target(), topic + "*");
  }

  KafkaTarget target() {
    return Kafka.to(Map.of("bootstrap.servers", broker.bootstrapServers()));
  }

  RelayProcess relayProcess(Sabotage sabotage) {
    return RelayProcess.start(jdbcUrl, schema, topic, sabotage);
  }

  RelayFleet relays(Sabotage sabotage, int size) {
    return new RelayFleet(jdbcUrl, schema, topic, sabotage, size);
  }

  /** Who leads; empty while nobody does, and while the database is not there. */
  Optional<String> leader() {
    try {
      return Optional.ofNullable(store.channels().status("orders").leader());
    } catch (HoldfastException e) {
      return Optional.empty();
    }
  }

  long epoch() {
    return store.channels().status("orders").epoch();
  }

  /** An order that is there: the pool may hold connections that broke. */
  int order() {
    return order("sentinel");
  }

  int order(String customer) {
    return await()
        .atMost(SOON)
        .pollDelay(Duration.ZERO)
        .ignoreExceptionsInstanceOf(HoldfastException.class)
        .until(() -> shop.order(customer, false, false), number -> true);
  }

  void awaitDelivery(int order) {
    await().atMost(SOON).until(() -> shop.delivered(order));
  }

  /** When it is delivered, everything is that was committed before. */
  void awaitAll() {
    awaitDelivery(order());
  }

  Shop.Count count() {
    return shop.count(topic);
  }

  @Override
  public void close() {
    shop.close();
    writer.close();
    pool.close();
  }
}
