package dev.holdfast.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Transaction;
import dev.holdfast.kafka.inbox.KafkaBatchHandler;
import dev.holdfast.kafka.inbox.KafkaHandler;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import dev.holdfast.postgres.PostgresStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/** A topic, and a schema in which consumers of it write down what they have handled. */
final class InboxStage implements AutoCloseable {
  static final Duration SOON = Duration.ofSeconds(60);
  static final KafkaInboxSettings SETTINGS = KafkaInboxSettings.DEFAULT;

  final String schema;
  final String topic;
  final String consumer;
  final HikariDataSource pool;
  final PostgresStore store;
  final KafkaProducer<String, String> producer;
  private final String jdbcUrl;
  private final List<AutoCloseable> open = new ArrayList<>();
  private boolean batched;
  private @Nullable Holdfast apart;

  InboxStage(String name, int partitions) {
    this(name, partitions, TestServers.POSTGRES.jdbcUrl());
  }

  InboxStage(String name, int partitions, String jdbcUrl) {
    this.jdbcUrl = jdbcUrl;
    this.schema = TestServers.unique(name + "_");
    this.topic = TestServers.unique(name);
    this.consumer = TestServers.unique("consumer-" + name);
    this.pool = TestServers.pool(jdbcUrl);
    this.store = PostgresStore.open(pool, schema);
    store.schema().migrate();
    execute(
        "create table %s.effect (n bigserial, partition_no int, record_offset bigint, key text, value text, operation_id text)"
            .formatted(schema));
    TestServers.KAFKA.createTopic(topic, partitions);
    this.producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                TestServers.KAFKA.bootstrapServers(),
                "acks",
                "all",
                "linger.ms",
                5),
            new StringSerializer(),
            new StringSerializer());
  }

  /** From now on a consumer hands over what it polled at once. */
  InboxStage batched(boolean wanted) {
    batched = wanted;
    return this;
  }

  void execute(String sql) {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** For effects that are not committed with the offset. */
  synchronized Holdfast apart() {
    if (apart == null) {
      apart = process();
    }
    return apart;
  }

  /** A process of its own, as far as the database and Kafka can tell. */
  Holdfast process() {
    return process(jdbcUrl);
  }

  Holdfast process(String url) {
    HikariDataSource own = TestServers.pool(url);
    Holdfast holdfast = Holdfast.on(own).schema(schema).schemaManagedElsewhere().start();
    open.add(0, own);
    open.add(0, holdfast);
    return holdfast;
  }

  KafkaInbox start(KafkaHandler handler) {
    return start(SETTINGS, Map.of(), handler);
  }

  KafkaInbox start(KafkaInboxSettings settings, Map<String, ?> config, KafkaHandler handler) {
    return start(process(), settings, config, handler);
  }

  KafkaInbox start(
      Holdfast holdfast, KafkaInboxSettings settings, Map<String, ?> config, KafkaHandler handler) {
    if (batched) {
      return startBatch(
          holdfast,
          settings,
          config,
          (tx, messages) -> {
            for (ConsumerRecord<byte[], byte[]> message : messages) {
              handler.handle(tx, message);
            }
          });
    }
    KafkaInbox inbox =
        KafkaInbox.start(holdfast, consumer, with(config), settings, List.of(topic), handler);
    open.add(0, inbox);
    return inbox;
  }

  KafkaInbox startBatch(KafkaBatchHandler handler) {
    return startBatch(process(), SETTINGS, Map.of(), handler);
  }

  KafkaInbox startBatch(
      Holdfast holdfast,
      KafkaInboxSettings settings,
      Map<String, ?> config,
      KafkaBatchHandler handler) {
    KafkaInbox inbox =
        KafkaInbox.startBatch(holdfast, consumer, with(config), settings, List.of(topic), handler);
    open.add(0, inbox);
    return inbox;
  }

  private static Map<String, Object> with(Map<String, ?> config) {
    Map<String, Object> all = new HashMap<>();
    all.put("bootstrap.servers", TestServers.KAFKA.bootstrapServers());
    all.put("fetch.max.wait.ms", 20);
    all.putAll(config);
    return all;
  }

  /** Writes down what it is given. */
  void effect(Transaction tx, ConsumerRecord<byte[], byte[]> message) throws SQLException {
    tx.update(
        "insert into %s.effect (partition_no, record_offset, key, value, operation_id) values (?, ?, ?, ?, ?)"
            .formatted(schema),
        message.partition(),
        message.offset(),
        text(message.key()),
        text(message.value()),
        tx.operationId());
  }

  /** The same for many, as one batch of JDBC's. */
  void effects(Transaction tx, List<ConsumerRecord<byte[], byte[]>> messages) throws SQLException {
    try (PreparedStatement insert =
        tx.connection()
            .prepareStatement(
                "insert into %s.effect (partition_no, record_offset, key, value, operation_id) values (?, ?, ?, ?, ?)"
                    .formatted(schema))) {
      for (ConsumerRecord<byte[], byte[]> message : messages) {
        insert.setInt(1, message.partition());
        insert.setLong(2, message.offset());
        insert.setString(3, text(message.key()));
        insert.setString(4, text(message.value()));
        insert.setString(5, tx.operationId());
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }

  static @Nullable String text(byte @Nullable [] bytes) {
    return bytes == null ? null : new String(bytes, UTF_8);
  }

  void send(@Nullable String key, @Nullable String value) {
    send(new ProducerRecord<>(topic, key, value));
  }

  /** With an id, as the outbox sends it. */
  void send(String key, String value, String id) {
    send(message(key, value, id, "op-" + id));
  }

  ProducerRecord<String, String> message(String key, String value) {
    return new ProducerRecord<>(topic, key, value);
  }

  ProducerRecord<String, String> message(String key, String value, String id, String operation) {
    ProducerRecord<String, String> message = message(key, value);
    message.headers().add("ce_id", id.getBytes(UTF_8));
    message.headers().add("ce_operationid", operation.getBytes(UTF_8));
    return message;
  }

  /** In one request to the broker, so that whoever polls finds all of them or none. */
  void sendTogether(List<ProducerRecord<String, String>> messages) {
    try (KafkaProducer<String, String> patient =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                TestServers.KAFKA.bootstrapServers(),
                "linger.ms",
                60_000,
                "enable.idempotence",
                false),
            new StringSerializer(),
            new StringSerializer())) {
      List<Future<RecordMetadata>> sent = messages.stream().map(patient::send).toList();
      patient.flush();
      for (Future<RecordMetadata> each : sent) {
        each.get();
      }
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  void send(ProducerRecord<String, String> message) {
    try {
      producer.send(message).get();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  void recreateTopic(int partitions) {
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers()))) {
      admin.deleteTopics(List.of(topic)).all().get();
      await().atMost(SOON).until(() -> !admin.listTopics().names().get().contains(topic));
      TestServers.KAFKA.createTopic(topic, partitions);
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The values that were handled, in the order of their commits' rows. */
  List<String> values() {
    return strings("select value from %s.effect order by n".formatted(schema));
  }

  List<String> strings(String sql) {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      List<String> result = new ArrayList<>();
      while (rows.next()) {
        result.add(rows.getString(1));
      }
      return result;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  void awaitValues(String... expected) {
    await().atMost(SOON).until(() -> values().equals(List.of(expected)));
  }

  @Override
  public void close() {
    for (AutoCloseable each : open) {
      try {
        each.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    producer.close(Duration.ZERO);
    pool.close();
  }
}
