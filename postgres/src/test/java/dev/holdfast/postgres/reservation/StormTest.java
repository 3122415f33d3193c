package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.StoreUnavailable;
import dev.holdfast.Transaction;
import dev.holdfast.TransactionWork;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReservationRefused;
import dev.holdfast.reservation.ReserveResult;
import dev.holdfast.reservation.Resolved;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * 64 clients fight for 1,000 units, with sessions that the server ends at any moment, transactions
 * that are abandoned, holds that nobody resolves, and reservations that two resolve at once. Beside
 * each resolution its transaction writes a row of its own, and an observer looks at both all the
 * time, in one snapshot.
 */
final class StormTest {
  private static final int CLIENTS = 64;
  private static final int UNITS = 1_000;
  private static final int STRIPES = 8;

  private final Stocks stocks = new Stocks().with("widget", UNITS, STRIPES);
  private final CountDownLatch soldOut = new CountDownLatch(1);
  private final AtomicInteger ids = new AtomicInteger();
  private final AtomicInteger kills = new AtomicInteger();
  private final AtomicInteger looks = new AtomicInteger();
  private final Queue<String> contested = new ConcurrentLinkedQueue<>();

  @AfterEach
  void end() {
    stocks.close();
  }

  @Test
  @Attacks({
    "reservation.never-oversold",
    "reservation.once",
    "reservation.expiry",
    "reservation.atomicity",
    "reservation.recovery"
  })
  void sixtyFourClientsResolveAThousandUnitsAndNotOneMore() throws Exception {
    storm();
    assertThat(stocks.level("widget")).isEqualTo(new Stocks.Level(UNITS, 0, 0, UNITS, 0));
    assertThat(stocks.ask("select sum(confirmed) from ${schema}.reservation_item"))
        .as("confirmed")
        .isEqualTo(UNITS);
    assertThat(stocks.ask("select sum(units) from ${schema}.resolution where state = 'CONFIRMED'"))
        .as("confirmed, by the transactions that did it")
        .isEqualTo(UNITS);
    assertThat(
            stocks.ask(
                "select count(*) from (select id from ${schema}.resolution group by id having"
                    + " count(*) > 1) twice"))
        .as("resolved twice")
        .isZero();
    long expired = stocks.ask("select count(*) from ${schema}.reservation where state = 'EXPIRED'");
    long all = stocks.ask("select count(*) from ${schema}.reservation");
    System.out.printf(
        "storm: %d reservations, %d of them expired, %d sessions killed, %d looks%n",
        all, expired, kills.get(), looks.get());
    // Else it has not been a storm.
    assertThat(expired).as("expired").isGreaterThan(20);
    assertThat(kills.get()).as("killed").isGreaterThan(20);
    assertThat(looks.get()).as("looks").isGreaterThan(20);
  }

  /** The negative control: units are read, and what is left of them is written. */
  @Test
  void withoutTheLocksTheObserverSeesUnitsOutOfNothing() throws SQLException {
    stocks.takeWhatWasRead();
    assertThatThrownBy(this::storm).hasStackTraceContaining("balance");
  }

  private void storm() throws Exception {
    stocks.execute(
        "create table ${schema}.resolution (id text, state text, units bigint not null);"
            + " create index on ${schema}.resolution (id)");
    long seed = new Random().nextLong();
    System.out.println("storm with seed " + seed);
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      List<Future<?>> work = new ArrayList<>();
      for (int client = 0; client < CLIENTS; client++) {
        Random random = new Random(seed + client);
        work.add(threads.submit(() -> new Client(random).run()));
      }
      work.add(threads.submit(() -> kill(new Random(seed - 1))));
      work.add(threads.submit(this::upkeep));
      Future<?> observer = threads.submit(this::observe);
      observer.get(150, TimeUnit.SECONDS);
      for (Future<?> each : work) {
        each.get(30, TimeUnit.SECONDS);
      }
    } finally {
      soldOut.countDown();
      threads.shutdown();
      assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).as("all have ended").isTrue();
    }
  }

  /** A process with one connection, which it loses now and then. */
  private final class Client {
    private final Random random;
    private @Nullable Connection connection;

    Client(Random random) {
      this.random = random;
    }

    Void run() throws SQLException, InterruptedException {
      try {
        while (soldOut.getCount() > 0) {
          String rival = contested.poll();
          if (rival != null) {
            resolve(rival);
          } else {
            reserveAndResolve("r" + ids.incrementAndGet());
          }
        }
      } finally {
        disconnect();
      }
      return null;
    }

    private void reserveAndResolve(String id) throws SQLException, InterruptedException {
      if (random.nextInt(20) == 0) {
        // A cancel that overtakes its reserve.
        attempt(tx -> witnessed(tx, stocks.reservations.cancel(tx, id)));
      }
      boolean forgets = random.nextInt(4) == 0;
      Duration hold = Duration.ofMillis(forgets ? 1 + random.nextInt(100) : 2_000);
      Reservation wanted = Reservation.of(id, "widget", 1 + random.nextInt(3)).holdFor(hold);
      ReserveResult said = attempt(tx -> stocks.reservations.reserve(tx, wanted));
      if (said == null && random.nextBoolean()) {
        // Asks again, not knowing.
        said = attempt(tx -> stocks.reservations.reserve(tx, wanted));
      }
      if (said instanceof ReserveResult.Insufficient) {
        attempt(
            tx -> {
              String last = id + "-one";
              if (stocks
                  .reservations
                  .reserve(tx, Reservation.of(last, "widget", 1).holdFor(hold))
                  .isReserved()) {
                witnessed(tx, stocks.reservations.confirm(tx, last));
              }
              return true;
            });
        soldOut.await(random.nextInt(20), TimeUnit.MILLISECONDS);
      }
      if (!forgets) {
        if (random.nextInt(3) == 0) {
          contested.add(id);
        }
        resolve(id);
      }
    }

    private void resolve(String id) throws SQLException {
      switch (random.nextInt(4)) {
        case 0 -> attempt(tx -> witnessed(tx, stocks.reservations.cancel(tx, id)));
        case 1 ->
            attempt(tx -> witnessed(tx, stocks.reservations.confirm(tx, id, Map.of("widget", 1L))));
        default -> attempt(tx -> witnessed(tx, stocks.reservations.confirm(tx, id)));
      }
    }

    private boolean witnessed(Transaction tx, Resolved resolved) throws SQLException {
      if (resolved.first()) {
        tx.update(
            stocks.in("insert into ${schema}.resolution values (?, ?, ?)"),
            resolved.id(),
            resolved.state().name(),
            resolved.confirmed().getOrDefault("widget", 0L));
      }
      return true;
    }

    /** One transaction; null when it was abandoned, or nobody knows what became of it. */
    private <T> @Nullable T attempt(TransactionWork<T> work) throws SQLException {
      try {
        Connection open = connect();
        T result = stocks.holdfast.join(open, "storm", work);
        if (random.nextInt(10) == 0) {
          // Dies before it commits.
          disconnect();
          return null;
        }
        open.commit();
        return result;
      } catch (StoreUnavailable e) {
        // Killed while it waited for an answer.
        disconnect();
        return null;
      } catch (SQLException e) {
        if (!e.getSQLState().startsWith("08") && !e.getSQLState().startsWith("57P")) {
          throw e;
        }
        // Killed, before the commit or after it.
        disconnect();
        return null;
      } catch (ReservationRefused e) {
        // A rival has confirmed another part, or less is held than was to be confirmed.
        disconnect();
        return null;
      }
    }

    private Connection connect() throws SQLException {
      Connection open = connection;
      if (open == null) {
        open =
            DriverManager.getConnection(
                Stocks.server().jdbcUrl() + "&ApplicationName=client-" + stocks.schema);
        open.setAutoCommit(false);
        connection = open;
      }
      return open;
    }

    private void disconnect() throws SQLException {
      Connection open = connection;
      connection = null;
      if (open != null) {
        open.close();
      }
    }
  }

  /** What it sees at once: the books are balanced, nothing is oversold, and both books agree. */
  private Void observe() throws SQLException {
    String look =
        stocks.in(
            """
            select l.held, l.confirmed, l.balance,
                   (select coalesce(sum(w.units), 0) from ${schema}.resolution w
                    where w.state = 'CONFIRMED'),
                   (select min(s.free) from ${schema}.stock_stripe s)
            from ${schema}.stock_level l
            """);
    try (Connection connection = Stocks.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      while (soldOut.getCount() > 0) {
        try (ResultSet row = statement.executeQuery(look)) {
          row.next();
          looks.incrementAndGet();
          assertThat(row.getLong(3)).as("balance").isZero();
          assertThat(row.getLong(1) + row.getLong(2)).as("taken").isLessThanOrEqualTo(UNITS);
          assertThat(row.getLong(4)).as("witnessed").isEqualTo(row.getLong(2));
          assertThat(row.getLong(5)).as("free").isNotNegative();
          if (row.getLong(2) >= UNITS) {
            soldOut.countDown();
          }
        }
      }
    } finally {
      soldOut.countDown();
    }
    return null;
  }

  /** Ends sessions at whatever moment it is. */
  private Void kill(Random random) throws SQLException, InterruptedException {
    while (!soldOut.await(10 + random.nextInt(30), TimeUnit.MILLISECONDS)) {
      kills.addAndGet(
          (int)
              stocks.ask(
                  """
                  select count(pg_terminate_backend(pid)) from (
                    select pid from pg_stat_activity
                    where application_name = 'client-${schema}' and state <> 'idle'
                    order by random() limit 2) victims
                  """));
    }
    return null;
  }

  /** Comes seldom, so that clients have to help themselves as well. */
  private Void upkeep() throws InterruptedException {
    while (!soldOut.await(200, TimeUnit.MILLISECONDS)) {
      stocks.expire();
      stocks.holdfast.store().reservations().fold(1_000);
    }
    return null;
  }
}
