package dev.holdfast.spring;

import dev.holdfast.Message;
import dev.holdfast.Transaction;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.event.TransactionPhase;
import org.springframework.transaction.event.TransactionalEventListener;

/** An application with listeners, whose work each test says for its own records. */
final class ListenerApp {
  private ListenerApp() {}

  /** What a test does with a record. */
  @FunctionalInterface
  interface Work {
    void run(Transaction tx, ConsumerRecord<byte[], byte[]> message, String value) throws Exception;
  }

  /** The consumer patient, for whatever a test wants, by topic. */
  static class Handlers {
    final Map<String, Work> byTopic = new ConcurrentHashMap<>();

    @HoldfastListener(consumer = "patient", topics = "${test.topics}")
    void handle(Transaction tx, ConsumerRecord<byte[], byte[]> message, String value)
        throws Exception {
      Objects.requireNonNull(byTopic.get(message.topic())).run(tx, message, value);
    }

    @HoldfastListener(consumer = "strict", topics = "${test.strict-topic}")
    void strictly(byte[] value, Transaction tx, ConsumerRecord<byte[], byte[]> message)
        throws Exception {
      handle(tx, message, new String(value, StandardCharsets.UTF_8));
    }
  }

  record Parcel(String id, int cents) {}

  /** What is called through a proxy of the JDK, since it is transactional and has an interface. */
  interface Typed {
    void parcels(List<Parcel> parcels, @Nullable String tenant);
  }

  @Transactional
  static class TypedListener implements Typed {
    final List<String> seen = new CopyOnWriteArrayList<>();

    @Override
    @HoldfastListener(consumer = "typed", topics = "${test.typed-topic}")
    public void parcels(
        List<Parcel> parcels, @Header(name = "tenant", required = false) @Nullable String tenant) {
      parcels.forEach(parcel -> seen.add(tenant + " " + parcel.id() + " " + parcel.cents()));
    }
  }

  record OrderPlaced(String id, int cents) {}

  /** That of the manual. */
  static class Warehouse {
    private final JdbcClient jdbc;
    private final TransactionalOutbox outbox;

    Warehouse(JdbcClient jdbc, TransactionalOutbox outbox) {
      this.jdbc = jdbc;
      this.outbox = outbox;
    }

    // snippet:spring-listener
    /** The reservation, its message and the offset behind the order are one commit. */
    @HoldfastListener(consumer = "warehouse", topics = "${shop.orders-topic}")
    void reserve(OrderPlaced order) {
      jdbc.sql("insert into reserved_order (order_id, cents) values (?, ?)")
          .params(order.id(), order.cents())
          .update();
      outbox.publish(Message.of("parcels.reserved", order.id(), "{}"));
    }
    // end
  }

  record Shipped(String id) {}

  /** The parts of an application that its listener calls. */
  static class Shop {
    private final JdbcTemplate jdbc;
    private final List<String> events = new CopyOnWriteArrayList<>();
    private final DataSource outside;

    Shop(JdbcTemplate jdbc, DataSource outside) {
      this.jdbc = jdbc;
      this.outside = outside;
    }

    public void insert(String id) {
      jdbc.update("insert into parcel values (?)", id);
    }

    public void execute(String sql) {
      jdbc.execute(sql);
    }

    public List<String> events() {
      return events;
    }

    @Transactional
    public void insertJoining(String id) {
      insert(id);
    }

    @Transactional
    public void insertAndFail(String id) {
      insert(id);
      throw new IllegalStateException("inner failure");
    }

    @Transactional(propagation = Propagation.REQUIRES_NEW)
    public void insertApart(String id) {
      insert(id);
    }

    @Transactional(propagation = Propagation.NESTED)
    public void insertNestedAndFail(String id, Runnable before) {
      insert(id);
      before.run();
      throw new IllegalStateException("nested failure");
    }

    @TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)
    public void before(Shipped event) {
      insert("before commit of " + event.id());
    }

    @TransactionalEventListener(phase = TransactionPhase.AFTER_COMMIT)
    public void after(Shipped event) {
      // On a connection of its own: it sees what is committed.
      Integer there =
          new JdbcTemplate(outside)
              .queryForObject(
                  "select count(*) from parcel where id = ?", Integer.class, event.id());
      events.add("after commit of " + event.id() + ": " + there);
    }

    @TransactionalEventListener(phase = TransactionPhase.AFTER_ROLLBACK)
    public void rolledBack(Shipped event) {
      events.add("after rollback of " + event.id());
    }
  }

  /** Loses the reply to a thread's next commit, after the database has committed. */
  static final class LosingReplies extends DelegatingDataSource {
    final AtomicReference<@Nullable Thread> losing = new AtomicReference<>();

    LosingReplies(DataSource real) {
      super(real);
    }

    @Override
    public Connection getConnection() throws SQLException {
      Connection real = super.getConnection();
      return (Connection)
          Proxy.newProxyInstance(
              getClass().getClassLoader(),
              new Class<?>[] {Connection.class},
              (proxy, method, args) -> {
                Object result;
                try {
                  result = method.invoke(real, args);
                } catch (InvocationTargetException e) {
                  throw Objects.requireNonNull(e.getCause());
                }
                if (method.getName().equals("commit")
                    && losing.compareAndSet(Thread.currentThread(), null)) {
                  real.close();
                  throw new SQLException("the reply is lost", "08006");
                }
                return result;
              });
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    @Bean
    LosingReplies dataSource(@Value("${test.schema}") String schema) {
      PGSimpleDataSource real = new PGSimpleDataSource();
      real.setUrl(TestServers.POSTGRES.jdbcUrl());
      real.setCurrentSchema(schema);
      return new LosingReplies(real);
    }

    @Bean
    Handlers handlers() {
      return new Handlers();
    }

    @Bean
    Warehouse warehouse(JdbcClient jdbc, TransactionalOutbox outbox) {
      return new Warehouse(jdbc, outbox);
    }

    @Bean
    TypedListener typedListener() {
      return new TypedListener();
    }

    @Bean
    Shop shop(JdbcTemplate jdbc, LosingReplies dataSource) {
      return new Shop(jdbc, Objects.requireNonNull(dataSource.getTargetDataSource()));
    }
  }

  /** Sends in this order, and returns when all is acknowledged. */
  static void send(List<ProducerRecord<String, String>> records) {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                TestServers.Broker.KAFKA.bootstrapServers(),
                "linger.ms",
                "100"),
            new StringSerializer(),
            new StringSerializer())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      records.forEach(message -> sent.add(producer.send(message)));
      for (Future<RecordMetadata> one : sent) {
        one.get();
      }
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }
}
