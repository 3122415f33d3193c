package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.inbox.store.InboxStore;
import dev.holdfast.outbox.store.Lease;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Ids are remembered for the retention at least, and not for ever, while the ring turns. */
final class InboxRingTest {
  private static final Duration RETENTION = Duration.ofMinutes(10);

  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
  private StoreClock clock;
  private Lease upkeep;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.inbox().register("c", RETENTION);
    clock = StoreClock.of(TestDatabase.dataSource(), schema);
    upkeep = store.leases().tryAcquire("upkeep", "me", Duration.ofDays(300)).orElseThrow();
  }

  @AfterEach
  void end() {
    clock.close();
  }

  private void run(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql.replace("${schema}", schema));
    }
  }

  private long ask(String sql) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql.replace("${schema}", schema))) {
      row.next();
      return row.getLong(1);
    }
  }

  private long current() throws SQLException {
    return ask("select current from ${schema}.inbox_ring");
  }

  private InboxStore.Received receive(Connection connection, String id) throws SQLException {
    return store.inbox().receive(connection, "c", id, null, "op", null);
  }

  private boolean receives(String id) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      boolean first = receive(connection, id).first();
      connection.commit();
      connection.setAutoCommit(true);
      return first;
    }
  }

  /** Moves time past the retention and runs the upkeep until the ring has turned. */
  private void turn() throws SQLException {
    long before = current();
    settle();
    clock.advance(RETENTION.plusSeconds(1));
    await()
        .until(
            () -> {
              store.upkeep().rotate(upkeep);
              return current() != before;
            });
  }

  private void settle() {
    await()
        .until(
            () -> {
              store.upkeep().rotate(upkeep);
              return ask("select count(*) from ${schema}.inbox_ring where settled is not null")
                  == 1;
            });
  }

  @Test
  @Attacks("inbox.bounded")
  void anIdIsRememberedForTheRetentionAndForgottenAfterTwoTurns() throws SQLException {
    assertThat(receives("a")).isTrue();
    turn();
    assertThat(receives("a")).as("after one turn").isFalse();
    turn();
    settle();
    await()
        .until(
            () -> {
              store.upkeep().rotate(upkeep);
              return ask("select count(*) from ${schema}.inbox") == 0;
            });
    assertThat(receives("a")).as("after two turns").isTrue();
  }

  @Test
  void theLongestRetentionOfAllConsumersCounts() throws SQLException {
    store.inbox().register("slow", RETENTION.multipliedBy(10));
    long before = current();
    clock.advance(RETENTION.plusSeconds(1));
    store.upkeep().rotate(upkeep);
    assertThat(current()).isEqualTo(before);
  }

  @Test
  @Attacks("inbox.once")
  void whoeverComesAfterATurnWaitsForTheOneThatReceivedBefore() throws Exception {
    assertThat(secondOneIsFirstToo()).isFalse();
  }

  /** The negative control: without asking the segment before, both are first. */
  @Test
  void withoutTheBorderBothAreFirst() throws Exception {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      String definition;
      try (Statement statement = connection.createStatement();
          ResultSet row =
              statement.executeQuery(
                  "select pg_get_functiondef('" + schema + ".receive'::regproc)")) {
        row.next();
        definition = row.getString(1);
      }
      String mutant = definition.replace("if ring.settled is null or", "if false and");
      assertThat(mutant).isNotEqualTo(definition);
      run(connection, mutant);
    }
    assertThat(secondOneIsFirstToo()).isTrue();
  }

  /** One receives and has not committed; the ring turns; another receives the same. */
  private boolean secondOneIsFirstToo() throws Exception {
    try (Connection early = TestDatabase.dataSource().getConnection()) {
      early.setAutoCommit(false);
      assertThat(receive(early, "x").first()).isTrue();
      turn();
      settle();
      CompletableFuture<Boolean> late =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return receives("x");
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      await().until(() -> late.isDone() || someoneWaits());
      early.commit();
      early.setAutoCommit(true);
      return late.get(30, TimeUnit.SECONDS);
    }
  }

  private boolean someoneWaits() throws SQLException {
    return ask(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%${schema}.receive%'")
        > 0;
  }

  @Test
  void theRingDoesNotTurnWhileSomebodyMayStillWriteToTheSegmentBefore() throws SQLException {
    try (Connection early = TestDatabase.dataSource().getConnection()) {
      early.setAutoCommit(false);
      assertThat(receive(early, "x").first()).isTrue();
      turn();
      settle();
      long after = current();
      clock.advance(RETENTION.plusSeconds(1));
      store.upkeep().rotate(upkeep);
      assertThat(current()).isEqualTo(after);
      early.commit();
      early.setAutoCommit(true);
    }
    turn();
  }

  @Test
  @Attacks("inbox.answer")
  void theReplyStaysAsLongAsTheIdThoughTheRingTurnsInBetween() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      InboxStore.Received received = receive(connection, "x");
      turn();
      store.inbox().keepReply(connection, "c", "x", received, "text/plain", new byte[] {7});
      connection.commit();
      assertThat(receive(connection, "x").body()).containsExactly(7);
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  @Test
  void underRepeatableReadATurnSinceTheSnapshotIsASerializationFailure() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      run(connection, "select 1 from ${schema}.inbox_ring");
      turn();
      assertThat(
              catchThrowableOfType(SQLException.class, () -> receive(connection, "x"))
                  .getSQLState())
          .isEqualTo("40001");
      connection.rollback();
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      connection.setAutoCommit(true);
    }
  }

  /** In each round everybody receives the same id, while the ring turns, or settles. */
  @Test
  @Attacks("inbox.once")
  void ofManyNobodyIsFirstTwiceWhileTheRingTurns() throws Exception {
    int consumers = 6;
    int rounds = 200;
    CyclicBarrier round = new CyclicBarrier(consumers + 1);
    Map<String, AtomicInteger> firsts = new ConcurrentHashMap<>();
    ExecutorService threads = Executors.newFixedThreadPool(consumers + 1);
    try {
      Future<Integer> turning =
          threads.submit(
              () -> {
                int turns = 0;
                for (int i = 0; i < rounds; i++) {
                  round.await(30, TimeUnit.SECONDS);
                  long before = current();
                  clock.advance(RETENTION.plusSeconds(1));
                  store.upkeep().rotate(upkeep);
                  turns += current() == before ? 0 : 1;
                }
                return turns;
              });
      List<Future<?>> work = new ArrayList<>();
      for (int n = 0; n < consumers; n++) {
        Random random = new Random(n);
        work.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < rounds; i++) {
                    round.await(30, TimeUnit.SECONDS);
                    if (receivedFirst("r" + i, random)) {
                      firsts.computeIfAbsent("r" + i, key -> new AtomicInteger()).incrementAndGet();
                    }
                  }
                  return null;
                }));
      }
      for (Future<?> each : work) {
        each.get(120, TimeUnit.SECONDS);
      }
      assertThat(turning.get(30, TimeUnit.SECONDS)).as("turns").isGreaterThan(20);
    } finally {
      threads.shutdownNow();
    }
    assertThat(firsts).hasSize(rounds);
    assertThat(firsts).allSatisfy((id, count) -> assertThat(count).as(id).hasValue(1));
  }

  /** Some give up what they have received first: then it is somebody else's. */
  private boolean receivedFirst(String id, Random random) throws SQLException {
    for (; ; ) {
      try (Connection connection = TestDatabase.dataSource().getConnection()) {
        connection.setAutoCommit(false);
        boolean first = receive(connection, id).first();
        boolean kept = !first || random.nextInt(4) > 0;
        if (kept) {
          connection.commit();
        } else {
          connection.rollback();
        }
        connection.setAutoCommit(true);
        if (kept) {
          return first;
        }
      }
    }
  }
}
