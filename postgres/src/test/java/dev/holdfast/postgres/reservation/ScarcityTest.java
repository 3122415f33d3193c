package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.reservation.Reservation;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Many who want several stocks of which there is little, named in any order: each stripe is wanted
 * by several at once, and what the first try has locked in vain must not be in anybody's way.
 */
final class ScarcityTest {
  private static final List<String> STOCKS = List.of("a", "b", "c", "d");
  private static final int CLIENTS = 12;
  private static final int TIMES = 150;
  private static final int UNITS = 6;

  private final Stocks stocks = new Stocks();

  @AfterEach
  void end() {
    stocks.close();
  }

  @Test
  @Attacks({"reservation.deadlock", "reservation.never-oversold"})
  void nobodyMeetsAnybodyInADeadlock() throws Exception {
    reserveAndCancel();
    stocks.assertBalanced();
    for (String stock : STOCKS) {
      assertThat(stocks.level(stock)).isEqualTo(new Stocks.Level(UNITS, UNITS, 0, 0, 0));
    }
  }

  /** The negative control: a stripe that was waited for in vain stays locked. */
  @Test
  void withoutUnlockingWhatGaveNothingTheyDo() throws SQLException {
    stocks.mutate("take_any", "raise sqlstate 'HF020';", "");
    assertThatThrownBy(this::reserveAndCancel).hasStackTraceContaining("SQLState 40P01");
  }

  private void reserveAndCancel() throws Exception {
    for (String stock : STOCKS) {
      stocks.with(stock, UNITS, 4);
    }
    ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    int reserved = 0;
    try {
      List<Future<Integer>> work = new ArrayList<>();
      for (int client = 0; client < CLIENTS; client++) {
        Random random = new Random(client);
        String prefix = client + "-";
        work.add(threads.submit(() -> reserveAndCancel(prefix, random)));
      }
      for (Future<Integer> each : work) {
        // A deadlock would be thrown here: whoever joins a transaction does not run it again.
        reserved += each.get(90, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdown();
      assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).as("all have ended").isTrue();
    }
    assertThat(reserved).as("reserved").isBetween(CLIENTS, CLIENTS * TIMES - 1);
  }

  private int reserveAndCancel(String prefix, Random random) throws SQLException {
    int reserved = 0;
    try (Connection connection = Stocks.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < TIMES; i++) {
        Reservation wanted = wanted(prefix + i, random);
        boolean held =
            stocks
                .holdfast
                .join(connection, "scarcity", tx -> stocks.reservations.reserve(tx, wanted))
                .isReserved();
        connection.commit();
        if (held) {
          reserved++;
          stocks.holdfast.join(
              connection, "scarcity", tx -> stocks.reservations.cancel(tx, wanted.id()).orThrow());
          connection.commit();
        }
      }
      connection.setAutoCommit(true);
    }
    return reserved;
  }

  private static Reservation wanted(String id, Random random) {
    List<String> names = new ArrayList<>(STOCKS);
    Collections.shuffle(names, random);
    Reservation wanted =
        Reservation.of(id, names.get(0), 1 + random.nextInt(4)).holdFor(Duration.ofMinutes(10));
    for (String other : names.subList(1, 1 + random.nextInt(3))) {
      wanted = wanted.and(other, 1 + random.nextInt(4));
    }
    return wanted;
  }
}
