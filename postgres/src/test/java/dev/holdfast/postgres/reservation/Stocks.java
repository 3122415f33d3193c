package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Stepper;
import dev.holdfast.TransactionWork;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReservationState;
import dev.holdfast.reservation.Reservations;
import dev.holdfast.reservation.ReserveResult;
import dev.holdfast.reservation.Resolved;
import dev.holdfast.reservation.SemanticLocks;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;

/** One server for all tests of this JVM; each test has a schema of its own. */
final class Stocks implements AutoCloseable {
  private static final PostgresServer SERVER =
      PostgresServer.builder().setting("max_connections", "150").start();
  private static final HikariDataSource POOL = pool(SERVER.jdbcUrl(), 40);
  private static final AtomicInteger SCHEMAS = new AtomicInteger();

  final String schema = "stocks_" + SCHEMAS.incrementAndGet();

  /** Of which nothing runs by itself. */
  final Stepper stepper = Holdfast.on(POOL).schema(schema).manual();

  final Holdfast holdfast = stepper.holdfast();
  final Reservations reservations = holdfast.reservations();
  final SemanticLocks locks = holdfast.semanticLocks();

  static PostgresServer server() {
    return SERVER;
  }

  static HikariDataSource dataSource() {
    return POOL;
  }

  static HikariDataSource pool(String url, int size) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(10_000);
    return new HikariDataSource(config);
  }

  /** What a snapshot shows of a stock. */
  record Level(long capacity, long free, long held, long confirmed, long balance) {}

  /** A stock of so many units in so many stripes. */
  Stocks with(String stock, long capacity, int stripes) {
    holdfast.transact(tx -> reservations.setCapacity(tx, stock, capacity, stripes));
    return this;
  }

  /** In a transaction of its own. */
  <T> T tx(TransactionWork<T> work) {
    return holdfast.transactReturning(work);
  }

  /** As {@link #tx}, of a truth. */
  boolean is(TransactionWork<Boolean> work) {
    return tx(work);
  }

  long available(String stock) {
    return tx(tx -> reservations.available(tx, stock));
  }

  ReservationState state(String id) {
    return tx(tx -> reservations.state(tx, id));
  }

  ReserveResult reserve(Reservation reservation) {
    return tx(tx -> reservations.reserve(tx, reservation));
  }

  Resolved confirm(String id) {
    return tx(tx -> reservations.confirm(tx, id));
  }

  Resolved cancel(String id) {
    return tx(tx -> reservations.cancel(tx, id));
  }

  int expire() {
    return holdfast.store().reservations().expire(1_000);
  }

  /** Holds units for no longer than the moment until this returns. */
  void reserveUntilDue(Reservation reservation) {
    assertThat(reserve(reservation.holdFor(Duration.ofMillis(1))).isReserved()).isTrue();
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .until(
            () ->
                ask(
                        "select count(*) from ${schema}.reservation where id = '%s' and expires_at <= ${schema}.now()"
                            .formatted(reservation.id()))
                    == 1);
  }

  Level level(String stock) throws SQLException {
    try (Connection connection = POOL.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                in(
                    "select capacity, free, held, confirmed, balance from ${schema}.stock_level where name = '%s'"
                        .formatted(stock)))) {
      row.next();
      return new Level(
          row.getLong(1), row.getLong(2), row.getLong(3), row.getLong(4), row.getLong(5));
    }
  }

  /** No unit was made or lost, of no stock. */
  void assertBalanced() throws SQLException {
    assertThat(ask("select count(*) from ${schema}.stock_level where balance <> 0"))
        .as("stocks out of balance")
        .isZero();
  }

  long ask(String sql) throws SQLException {
    return Long.parseLong(word(sql));
  }

  String word(String sql) throws SQLException {
    try (Connection connection = POOL.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(in(sql))) {
      row.next();
      return row.getString(1);
    }
  }

  void execute(String sql) throws SQLException {
    try (Connection connection = POOL.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(in(sql));
    }
  }

  String in(String sql) {
    return sql.replace("${schema}", schema);
  }

  /** Puts other text into a function: a step of the protocol taken out. */
  void mutate(String function, String text, String by) throws SQLException {
    String definition;
    try (Connection connection = POOL.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select pg_get_functiondef('%s.%s'::regproc)".formatted(schema, function))) {
      row.next();
      definition = row.getString(1);
    }
    assertThat(definition).contains(in(text));
    execute(definition.replace(in(text), in(by)));
  }

  /** The mutant that reads what is available, and then writes what is left: as it is often done. */
  void takeWhatWasRead() throws SQLException {
    mutate(
        "take_free",
        """
          update ${schema}.stock_stripe s set free = s.free - p_quantity
          where s.stock = p_stock and s.stripe = (
            select t.stripe from ${schema}.stock_stripe t
            where t.stock = p_stock and t.free >= p_quantity
            order by hashint4(pg_backend_pid() + t.stripe) limit 1
            for no key update skip locked);
        """,
        """
          update ${schema}.stock_stripe s set free = x.free - p_quantity
          from (select t.stripe, t.free from ${schema}.stock_stripe t
                where t.stock = p_stock and t.free >= p_quantity limit 1) x
          where s.stock = p_stock and s.stripe = x.stripe;
        """);
  }

  /** Whether a session waits for a lock. */
  boolean waits(int pid) throws SQLException {
    return ask(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and pid = " + pid)
        > 0;
  }

  @Override
  public void close() {
    stepper.close();
  }
}
