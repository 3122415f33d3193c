package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.internal.Doorbell;
import dev.holdfast.reservation.Reservation;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What stripes are worth to 16 clients who reserve of one stock, in transactions that last. */
@Tag("long")
final class EscrowThroughputTest {
  private static final int CLIENTS = 16;
  private static final int ROUNDS = 3;
  private static final Duration TIME = Duration.ofSeconds(3);

  /** The rest of the transaction, in which the stock is locked. */
  private static final String WORK = "select pg_sleep(0.002)";

  @Test
  void stripesLetTransactionsReserveSideBySide() throws Exception {
    List<Long> inOne = new ArrayList<>();
    List<Long> striped = new ArrayList<>();
    try (Stocks stocks = new Stocks().with("one", 1_000_000, 1).with("striped", 1_000_000, 8)) {
      for (int round = 0; round <= ROUNDS; round++) {
        long one = rate(stocks, "one");
        long many = rate(stocks, "striped");
        // The first is for warming up.
        if (round > 0) {
          inOne.add(one);
          striped.add(many);
        }
      }
      stocks.assertBalanced();
    }
    System.out.println(
        "reservations/s of one stock, in one stripe: " + inOne + ", in 8: " + striped);
    assertThat(median(striped)).isGreaterThan(2 * median(inOne));
  }

  private static long median(List<Long> rates) {
    List<Long> sorted = new ArrayList<>(rates);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2);
  }

  private static long rate(Stocks stocks, String stock) throws Exception {
    AtomicLong done = new AtomicLong();
    long end = Doorbell.nanos() + TIME.toNanos();
    ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    try {
      List<Future<?>> work = new ArrayList<>();
      for (int client = 0; client < CLIENTS; client++) {
        String prefix = stock + end + "-" + client + "-";
        work.add(threads.submit(() -> reserve(stocks, stock, prefix, end, done)));
      }
      for (Future<?> each : work) {
        each.get(60, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
    return done.get() * 1_000 / TIME.toMillis();
  }

  private static Void reserve(Stocks stocks, String stock, String prefix, long end, AtomicLong done)
      throws SQLException {
    try (Connection connection = Stocks.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (int i = 0; Doorbell.nanos() < end; i++) {
        Reservation wanted = Reservation.of(prefix + i, stock, 1);
        stocks.holdfast.join(
            connection, "throughput", tx -> stocks.reservations.reserve(tx, wanted).orThrow());
        statement.execute(WORK);
        connection.commit();
        done.incrementAndGet();
      }
      connection.setAutoCommit(true);
    }
    return null;
  }
}
