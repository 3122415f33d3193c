package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One dedupe key is published by many at once, while the ring that remembers it turns. */
final class DedupeTest {
  private static final int PUBLISHERS = 6;
  private static final int ROUNDS = 60;
  private static final long SEED = 17;

  private final HikariDataSource pool = TestDatabase.pool(TestDatabase.server().jdbcUrl(), 12);
  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(pool, schema);
  private final ExecutorService threads = Executors.newFixedThreadPool(PUBLISHERS + 1);
  private Cursor start = Cursor.at("");
  private Lease upkeep;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    start = store.channels().progress("c").cursor();
    upkeep = store.leases().tryAcquire("upkeep", "me", Duration.ofHours(10)).orElseThrow();
  }

  @AfterEach
  void end() {
    threads.shutdownNow();
    pool.close();
  }

  /** The ring turns once in a round, at whatever moment; what it remembered stays for two turns. */
  private boolean turn() throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "update %s.ring set rotated_at = rotated_at - interval '10 days' where name = 'dedupe'"
              .formatted(schema));
    }
    store.upkeep().rotate(upkeep);
    return true;
  }

  /** Whether it was committed. */
  private boolean publish(int round, Random random) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      if (random.nextInt(3) == 0) {
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        try (Statement statement = connection.createStatement()) {
          statement.execute("select 1 from " + schema + ".store");
        }
      }
      try {
        store
            .writer()
            .publish(
                connection,
                "op",
                List.of(
                    Message.to("orders")
                        .key("round-" + round)
                        .json("{}")
                        .dedupeKey("d-" + round)
                        .build()));
        if (random.nextInt(4) == 0) {
          connection.rollback();
          return false;
        }
        connection.commit();
        return true;
      } catch (SQLException e) {
        connection.rollback();
        // Its snapshot was older than the key, or than the turn.
        assertThat(e.getSQLState()).isEqualTo("40001");
        return false;
      } finally {
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      }
    }
  }

  /** Whether anyone committed. */
  private boolean round(int round) throws Exception {
    CyclicBarrier together = new CyclicBarrier(PUBLISHERS + 1);
    List<Callable<Boolean>> all = new ArrayList<>();
    for (int i = 0; i < PUBLISHERS; i++) {
      Random random = new Random(SEED * 1000 + round * 10L + i);
      all.add(
          () -> {
            together.await();
            return publish(round, random);
          });
    }
    all.add(
        () -> {
          together.await();
          return turn();
        });
    List<Future<Boolean>> ends = threads.invokeAll(all);
    assertThat(ends.get(PUBLISHERS).get()).isTrue();
    boolean committed = false;
    for (Future<Boolean> end : ends.subList(0, PUBLISHERS)) {
      committed |= end.get();
    }
    return committed;
  }

  @Test
  @Attacks("outbox.dedupe")
  void ofManyCommittedAtOnceWithOneDedupeKeyOneIsKeptThoughTheRingTurns() throws Exception {
    List<Integer> roundsWithACommit = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      if (round(round)) {
        roundsWithACommit.add(round);
      }
    }
    Map<String, Long> kept =
        store.log().read("c", start, new OutboxLog.Limit(1_000, 1 << 20), true).records().stream()
            .map(OutboxRecord::key)
            .map(String::valueOf)
            .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    assertThat(roundsWithACommit).hasSizeGreaterThan(ROUNDS / 2);
    assertThat(kept)
        .isEqualTo(
            roundsWithACommit.stream()
                .collect(Collectors.toMap(round -> "round-" + round, round -> 1L)));
  }
}
