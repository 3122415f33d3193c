package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.postgres.PostgresStore;
import dev.holdfast.twophase.store.DecisionStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Several forget the same decision. */
final class CleaningTest {

  @Test
  void aDecisionThatTwoParticipantsNeededGoesWhenBothAreCleanedAtOnce() throws Exception {
    CountDownLatch committing = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (TwoDatabases databases = new TwoDatabases()) {
      decisionOfTwo(databases);
      DecisionStore slow = decisions(heldAtItsCommit(databases.orders, committing, goOn));
      DecisionStore other = decisions(databases.orders);

      Future<Boolean> ledger = threads.submit(() -> slow.clean("ledger", 0, 1, List.of()));
      assertThat(committing.await(60, TimeUnit.SECONDS)).isTrue();
      Future<Boolean> stock = threads.submit(() -> other.clean("stock", 0, 1, List.of()));
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> stock.isDone() || waits(databases.orders));
      goOn.countDown();

      assertThat(ledger.get(60, TimeUnit.SECONDS)).isTrue();
      assertThat(stock.get(60, TimeUnit.SECONDS)).isTrue();
      assertThat(databases.count(databases.orders, "holdfast.decision")).isZero();
    } finally {
      goOn.countDown();
      threads.shutdownNow();
    }
  }

  /** Who asks for a later one that was rolled back is told so, and not that it is forgotten. */
  @Test
  void nothingIsForgottenBeyondTheLastDecision() throws SQLException {
    try (TwoDatabases databases = new TwoDatabases();
        Holdfast holdfast = databases.process(databases.participant())) {
      DecisionStore decisions = decisions(databases.orders);
      TwoDatabases.execute(
          databases.orders,
          "insert into holdfast.decision (serial, nonce, participants, within_ms)"
              + " values (1, 1, '{ledger}', 60000), (2, 1, '{ledger}', 60000)");

      assertThat(decisions.ripe("ledger", 0, 100, Duration.ZERO, 10).upTo()).isEqualTo(2);
      assertThat(decisions.ripe("ledger", 0, 100, Duration.ofHours(1), 10).upTo()).isZero();
      assertThat(decisions.ripe("ledger", 0, 100, Duration.ZERO, 2).upTo()).isEqualTo(1);
      assertThat(decisions.ripe("ledger", 2, 100, Duration.ZERO, 10).upTo()).isEqualTo(100);
    }
  }

  /** More than are looked at together. */
  @Test
  void thousandsAreForgottenInOneGo() throws SQLException {
    try (TwoDatabases databases = new TwoDatabases();
        Holdfast holdfast = databases.process(databases.participant())) {
      holdfast.twoPhase().clean();
      TwoDatabases.execute(
          databases.orders,
          "do $$ begin for i in 1..11000 loop perform pg_current_xact_id(); commit; end loop; end $$");
      String serials = "(select pg_snapshot_xmin(pg_current_snapshot())::text::bigint) - i";
      String range = " from generate_series(1, 11000) as i";
      TwoDatabases.execute(
          databases.orders,
          "insert into holdfast.decision (serial, nonce, participants, within_ms) select "
              + serials
              + ", i, '{ledger}', 60000"
              + range);
      String xmin =
          TwoDatabases.list(databases.orders, "select max(serial) from holdfast.decision").get(0);
      String store =
          TwoDatabases.list(databases.orders, "select store_id from holdfast.store").get(0);
      TwoDatabases.execute(
          databases.ledger,
          "insert into holdfast.witness (store_id, participant, serial, nonce) select '"
              + store
              + "', 'ledger', "
              + xmin
              + " + 1 - i, i"
              + range);
      holdfast.twoPhase().clean();

      assertThat(databases.count(databases.orders, "holdfast.decision")).isZero();
      assertThat(databases.count(databases.ledger, "holdfast.witness")).isZero();
      assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
    }
  }

  private static DecisionStore decisions(DataSource dataSource) {
    return PostgresStore.open(dataSource, "holdfast").decisions();
  }

  private static void decisionOfTwo(TwoDatabases databases) throws SQLException {
    try (Holdfast migrates = databases.process(databases.participant())) {
      assertThat(migrates.twoPhase().inDoubt()).isEmpty();
    }
    TwoDatabases.execute(
        databases.orders,
        "insert into holdfast.participant"
            + " (name, system, database, timeline, place, started, claim)"
            + " select name, '', name, 1, '', '', gen_random_uuid()"
            + " from unnest('{ledger,stock}'::text[]) as name");
    TwoDatabases.execute(
        databases.orders,
        "insert into holdfast.decision (serial, nonce, participants, within_ms)"
            + " values (1, 1, '{ledger,stock}', 60000)");
  }

  private static boolean waits(DataSource dataSource) throws SQLException {
    return !TwoDatabases.list(
            dataSource,
            "select pid from pg_stat_activity"
                + " where datname = current_database() and wait_event_type = 'Lock'")
        .isEmpty();
  }

  private static DataSource heldAtItsCommit(
      DataSource real, CountDownLatch committing, CountDownLatch goOn) {
    return proxy(
        DataSource.class,
        real,
        connection ->
            proxy(
                Connection.class,
                connection,
                result -> result,
                () -> {
                  committing.countDown();
                  assertThat(goOn.await(60, TimeUnit.SECONDS)).isTrue();
                }),
        () -> {});
  }

  private interface Act {
    void run() throws Exception;
  }

  private interface Wrap {
    Object of(Connection connection);
  }

  private static <T> T proxy(Class<T> type, T real, Wrap connections, Act beforeCommit) {
    return type.cast(
        Proxy.newProxyInstance(
            CleaningTest.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, args) -> {
              if (method.getName().equals("commit")) {
                beforeCommit.run();
              }
              try {
                Object result = method.invoke(real, args);
                return result instanceof Connection connection
                    ? connections.of(connection)
                    : result;
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            }));
  }
}
