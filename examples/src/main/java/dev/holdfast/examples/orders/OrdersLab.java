package dev.holdfast.examples.orders;

import static dev.holdfast.crashtest.Expect.record;
import static dev.holdfast.crashtest.Expect.row;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.HoldfastException;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.outbox.RelaySettings;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Both services in the crash lab, with the same expectation: an order that was placed has one row
 * and one message, and an order of which that is not known has both or neither.
 */
public final class OrdersLab {
  private static final Duration SETTLING = Duration.ofSeconds(20);
  private static final Duration START = Duration.ofSeconds(25);
  private static final long LOOK_NANOS = 5_000_000;

  private final String jdbcUrl;
  private final KafkaBroker broker;

  /**
   * @param jdbcUrl of PostgreSQL
   * @param broker with a topic {@code orders.placed}
   */
  public OrdersLab(String jdbcUrl, KafkaBroker broker) {
    this.jdbcUrl = jdbcUrl;
    this.broker = broker;
  }

  /** Empties the table of orders. Before each exploration, since two may use the same ids. */
  public void createTable() throws SQLException {
    try (Connection connection = DriverManager.getConnection(jdbcUrl);
        Statement statement = connection.createStatement()) {
      statement.execute("drop table if exists orders; create table orders (id text primary key)");
    }
  }

  /** Both services, as a forked JVM can describe them again, which has no lab to begin with. */
  private abstract static class Description implements Consumer<CrashLab> {
    private final @Nullable OrdersLab here;

    private Description(@Nullable OrdersLab here) {
      this.here = here;
    }

    @Override
    public final void accept(CrashLab lab) {
      String url = lab.share("postgres", () -> Objects.requireNonNull(here).jdbcUrl);
      KafkaBroker kafka = lab.shareBroker("kafka", () -> Objects.requireNonNull(here).broker);
      describe(new OrdersLab(url, kafka), lab);
    }

    abstract void describe(OrdersLab orders, CrashLab lab);
  }

  private static final class DualWrite extends Description {
    /** In a forked JVM. */
    @SuppressWarnings("unused")
    DualWrite() {
      super(null);
    }

    DualWrite(OrdersLab here) {
      super(here);
    }

    @Override
    void describe(OrdersLab orders, CrashLab lab) {
      orders.dualWrite(lab);
    }
  }

  private static final class Outbox extends Description {
    /** In a forked JVM. */
    @SuppressWarnings("unused")
    Outbox() {
      super(null);
    }

    Outbox(OrdersLab here) {
      super(here);
    }

    @Override
    void describe(OrdersLab orders, CrashLab lab) {
      orders.outbox(lab);
    }
  }

  /** {@link #dualWrite} for every carrier, forked crashes included. */
  public Consumer<CrashLab> dualWrite() {
    return new DualWrite(this);
  }

  /** {@link #outbox} for every carrier, forked crashes included. */
  public Consumer<CrashLab> outbox() {
    return new Outbox(this);
  }

  /** The dual write. */
  public void dualWrite(CrashLab lab) {
    lab.application(
            resources ->
                new DualWriteOrders(
                    resources.dataSource("shop", jdbcUrl),
                    resources.producer("kafka", broker, Map.of())))
        .operation(DualWriteOrders::place)
        .expect(row("orders").byKey().once(), record("orders.placed").byKey().once());
  }

  /** The outbox, with its relay in the process that is crashed. */
  public void outbox(CrashLab lab) {
    outbox(lab, UnaryOperator.identity());
  }

  void outbox(CrashLab lab, UnaryOperator<KafkaTarget> mode) {
    lab.application(resources -> startOutbox(resources, mode))
        .operation(OutboxOrders::place)
        .quiesce(SETTLING, OrdersLab::isDelivered)
        // What time alone brings about commits nothing of the operation: the relay's leases and its
        // upkeep, whose statements ask for the time; a flush of what is committed already; a hint.
        .ignoring("holdfast.now()")
        .ignoring("holdfast-upkeep")
        .ignoring("pg_logical_emit_message")
        .ignoring("pg_notify")
        .expect(row("orders").byKey().once(), record("orders.placed").byKey().once());
  }

  private OutboxOrders startOutbox(Resources resources, UnaryOperator<KafkaTarget> mode)
      throws TimeoutException {
    HikariConfig config = new HikariConfig();
    config.setDataSource(resources.dataSource("shop", jdbcUrl));
    config.setMaximumPoolSize(6);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(5_000);
    HikariDataSource pool = new HikariDataSource(config);
    resources.onStop(pool);
    KafkaTarget kafka =
        Kafka.to(Map.of("bootstrap.servers", resources.bootstrapServers("kafka", broker)));
    OutboxOrders orders =
        new OutboxOrders(
            pool,
            resources.target("kafka", broker, mode.apply(kafka)),
            // A crash is followed by a wait for the dead leader's lease, once in every run.
            RelaySettings.DEFAULT.withLeaseDuration(Duration.ofSeconds(1)));
    awaitDelivering(resources, orders);
    return orders;
  }

  /** Taking over is no part of the operation, and must be over when that begins. */
  private static void awaitDelivering(Resources resources, OutboxOrders orders)
      throws TimeoutException {
    long start = System.nanoTime();
    while (!orders.isDelivering()) {
      if (System.nanoTime() - start > START.toNanos()) {
        resources.onStop(orders);
        throw new TimeoutException(
            "The relay did not begin to deliver within " + START.toSeconds() + " s.");
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  private static boolean isDelivered(OutboxOrders orders) {
    try {
      return orders.isDelivered();
    } catch (HoldfastException e) {
      // A connection whose answer was lost; asked again on the next one.
      return false;
    }
  }
}
