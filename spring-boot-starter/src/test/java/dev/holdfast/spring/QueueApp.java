package dev.holdfast.spring;

import dev.holdfast.Message;
import dev.holdfast.Transaction;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** The parts of an application that its listeners of queues call, whose work each test says. */
final class QueueApp {
  private QueueApp() {}

  /** What a test does with a message. */
  @FunctionalInterface
  interface Work {
    void run(Transaction tx, String body) throws Exception;
  }

  /** By the beginning of the body. */
  static final class Works {
    private final Map<String, Work> byName = new ConcurrentHashMap<>();

    void put(String name, Work work) {
      byName.put(name, work);
    }

    void run(Transaction tx, String body) throws Exception {
      Objects.requireNonNull(byName.get(body.split(" ")[0]), body).run(tx, body);
    }
  }

  record Parcel(String id, int cents) {}

  record OrderPlaced(String id, int cents) {}

  /** What listeners have been given, for people. */
  static final class Seen {
    final List<String> all = new CopyOnWriteArrayList<>();
  }

  static class Shop {
    private final JdbcTemplate jdbc;

    Shop(JdbcTemplate jdbc) {
      this.jdbc = jdbc;
    }

    public void insert(String id) {
      jdbc.update("insert into parcel values (?)", id);
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
  }

  /** That of the manual. */
  static class Shipping {
    private final JdbcClient jdbc;
    private final TransactionalOutbox outbox;

    Shipping(JdbcClient jdbc, TransactionalOutbox outbox) {
      this.jdbc = jdbc;
      this.outbox = outbox;
    }

    // snippet:spring-jms-listener
    /** The shipment, its message and the id of the order's message are one commit. */
    @HoldfastJmsListener(consumer = "shipping", queue = "${shop.orders-queue}")
    void ship(OrderPlaced order) {
      jdbc.sql("insert into shipment (order_id, cents) values (?, ?)")
          .params(order.id(), order.cents())
          .update();
      outbox.publish(Message.of("parcels.shipped", order.id(), "{}"));
    }
    // end
  }

  @Configuration(proxyBeanMethods = false)
  static class Parts {
    @Bean
    Works works() {
      return new Works();
    }

    @Bean
    Seen seen() {
      return new Seen();
    }

    @Bean
    Shop shop(JdbcTemplate jdbc) {
      return new Shop(jdbc);
    }

    @Bean
    MeterRegistry registry() {
      return new SimpleMeterRegistry();
    }
  }

  /** Each application has tables of its own. */
  static void createTables(JdbcTemplate jdbc, String schema) {
    jdbc.execute("create schema " + schema);
    jdbc.execute("create table " + schema + ".parcel (id text primary key)");
    jdbc.execute("create table " + schema + ".shipment (order_id text primary key, cents integer)");
  }
}
