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
    close();
    clock.advance(RETENTION.plusSeconds(1));
    rotateUntilTurned(before);
  }

  private void rotateUntilTurned(long before) {
    await()
        .until(
            () -> {
              store.upkeep().rotate(upkeep);
              return current() != before;
            });
  }

  /** Until nobody writes to the segment before any more, and that is written down. */
  private void close() {
    await()
        .until(
            () -> {
              store.upkeep().rotate(upkeep);
              return ask("select count(*) from ${schema}.inbox_ring where closed_at is not null")
                  == 1;
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

  /** What came last before a turn is remembered as long as anything else. */
  @Test
  @Attacks("inbox.bounded")
  void anIdReceivedJustBeforeATurnIsRememberedForTheWholeRetention() throws SQLException {
    assertThat(isRememberedForTheRetention()).isTrue();
  }

  /** The negative control: ids age from the turn before, rather than from the end of their time. */
  @Test
  void withoutThatTimeAnIdIsForgottenEarly() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      run(
          connection,
          """
          create function ${schema}.age() returns trigger language plpgsql as $$
          begin
            new.closed_at := case when new.closed_at is not null then '-infinity'::timestamptz end;
            return new;
          end $$;
          create trigger age before update on ${schema}.inbox_ring
            for each row execute function ${schema}.age()
          """);
    }
    assertThat(isRememberedForTheRetention()).isFalse();
  }

  private boolean isRememberedForTheRetention() throws SQLException {
    close();
    clock.advance(RETENTION.plusSeconds(1));
    assertThat(receives("last")).isTrue();
    rotateUntilTurned(current());
    close();
    clock.advance(RETENTION.minusSeconds(5));
    for (int i = 0; i < 10; i++) {
      store.upkeep().rotate(upkeep);
    }
    return !receives("last");
  }

  @Test
  void whoeverHoldsASnapshotHoldsUpNoTurn() throws SQLException {
    try (Connection strict = TestDatabase.dataSource().getConnection()) {
      strict.setAutoCommit(false);
      strict.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      assertThat(receive(strict, "strict").first()).isTrue();
      turn();
      strict.commit();
      strict.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      strict.setAutoCommit(true);
    }
    assertThat(receives("strict")).isFalse();
  }

  /** As after a dump that was restored into a cluster of its own. */
  @Test
  void aRingThatWasSettledInAnotherClusterTurns() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      run(
          connection,
          "update ${schema}.inbox_ring set settled = '999999999999'::xid8, closed_at = null");
    }
    assertThat(receives("x")).isTrue();
    turn();
    assertThat(receives("x")).isFalse();
  }

  /** Has read the ring, and meets at the border one who came first and saw the turn. */
  @Test
  @Attacks("inbox.answer")
  void whoeverIsOvertakenByATurnGetsTheReplyOfTheFirst() throws Exception {
    settle();
    // The one named so pauses between reading the ring and writing.
    mutate(
        "    if ring.settled is null or",
        "    if p_operation = 'paused' then perform pg_advisory_xact_lock(4711); end if;\n"
            + "    if ring.settled is null or");
    try (Connection gate = TestDatabase.dataSource().getConnection();
        Connection first = TestDatabase.dataSource().getConnection()) {
      gate.setAutoCommit(false);
      run(gate, "select pg_advisory_xact_lock(4711)");
      CompletableFuture<InboxStore.Received> late = CompletableFuture.supplyAsync(this::paused);
      await().until(this::someoneWaits);
      // The turn, by itself: the upkeep would wait for the one that is paused.
      run(
          first,
          "update ${schema}.inbox_ring"
              + " set current = (current + 1) % 3, turn = turn + 1, settled = null, closed_at = null");
      first.setAutoCommit(false);
      InboxStore.Received received = receive(first, "x");
      assertThat(received.first()).isTrue();
      store.inbox().keepReply(first, "c", "x", received, "text/plain", new byte[] {7});
      first.commit();
      first.setAutoCommit(true);
      gate.rollback();
      gate.setAutoCommit(true);

      assertThat(late.get(30, TimeUnit.SECONDS).first()).isFalse();
      assertThat(late.get().body()).containsExactly(7);
    }
  }

  private InboxStore.Received paused() {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      InboxStore.Received received =
          store.inbox().receive(connection, "c", "x", null, "paused", null);
      connection.commit();
      connection.setAutoCommit(true);
      return received;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
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
    mutate("if ring.settled is null or", "if false and");
    assertThat(secondOneIsFirstToo()).isTrue();
  }

  /** Puts other text into the function that receives. */
  private void mutate(String text, String by) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select pg_get_functiondef('" + schema + ".receive'::regproc)")) {
      row.next();
      String definition = row.getString(1);
      assertThat(definition).contains(text);
      run(connection, definition.replace(text, by));
    }
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
