package dev.holdfast.mariadb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.Holdfast;
import dev.holdfast.Isolation;
import dev.holdfast.TransactionOptions;
import dev.holdfast.twophase.Joined;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase.Recovered;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an operation does across PostgreSQL and MariaDB, when nothing crashes. */
final class AtomicallyTest {
  private static final String INSERT = "insert into entry (id) values (?)";

  private OrdersAndLedger databases;
  private Holdfast holdfast;
  private Participant orders;
  private Participant ledger;

  @BeforeEach
  void open() throws SQLException {
    databases = new OrdersAndLedger();
    ledger = databases.participant;
    holdfast = databases.process();
    orders = holdfast.decider();
    holdfast.twoPhase().recover();
  }

  @AfterEach
  void close() {
    holdfast.close();
    databases.close();
  }

  private void assertBoth(String... ids) throws SQLException {
    assertThat(databases.inOrders()).containsExactly(ids);
    assertThat(databases.inLedger()).containsExactly(ids);
    assertThat(databases.prepared(holdfast)).isZero();
  }

  @ParameterizedTest
  @EnumSource(Isolation.class)
  void changesBothDatabases(Isolation isolation) throws SQLException {
    holdfast
        .atomic()
        .with(ledger)
        .isolation(isolation)
        .run(
            tx -> {
              tx.update(INSERT, "a");
              tx.on(ledger).update(INSERT, "a");
            });
    assertBoth("a");

    holdfast.twoPhase().clean();
    assertThat(TestServers.list(databases.ledger, "select * from holdfast_witness")).isEmpty();
    assertThat(TestServers.list(databases.orders, "select serial from holdfast.decision"))
        .isEmpty();
    assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
  }

  @Test
  void changesNeitherWhenTheWorkThrows() throws SQLException {
    assertThatThrownBy(
            () ->
                holdfast.atomically(
                    orders,
                    ledger,
                    (o, l) -> {
                      o.update(INSERT, "a");
                      l.update(INSERT, "a");
                      throw new IllegalStateException("no");
                    }))
        .isInstanceOf(IllegalStateException.class);
    assertBoth();
  }

  @Test
  void changesNeitherWhenTheDecidingCommitFails() throws SQLException {
    TestServers.execute(
        databases.orders,
        "alter table entry add column value int; alter table entry add constraint later unique"
            + " (value) deferrable initially deferred");
    assertThatThrownBy(
            () ->
                holdfast.atomically(
                    orders,
                    ledger,
                    (o, l) -> {
                      o.update("insert into entry values ('a', 1), ('b', 1)");
                      l.update(INSERT, "a");
                    }))
        .isInstanceOf(DatabaseFailure.class);
    assertBoth();
  }

  @Test
  void oneWritingParticipantCommitsPlainly() throws SQLException {
    holdfast.atomically(orders, ledger, (o, l) -> l.update(INSERT, "a"));
    assertThat(databases.inLedger()).containsExactly("a");
    assertThat(TestServers.list(databases.ledger, "select * from holdfast_witness")).isEmpty();
    assertThat(TestServers.list(databases.ledger, "select committed from holdfast_attempt"))
        .containsExactly("1");
  }

  @Test
  void whatWouldCommitInTheBranchIsRefusedAndUndoesBoth() throws SQLException {
    Map<String, String> refused =
        Map.of(
            "commit", "COMMIT is refused",
            "create table other (id int)", "XAER_RMFAIL",
            "start transaction", "XAER_RMFAIL");
    for (String sql : refused.keySet()) {
      assertThatThrownBy(
              () ->
                  holdfast.atomically(
                      orders,
                      ledger,
                      (o, l) -> {
                        o.update(INSERT, "a");
                        l.update(INSERT, "a");
                        l.update(sql);
                      }))
          .as(sql)
          .isInstanceOf(DatabaseFailure.class)
          .hasMessageContaining(refused.get(sql));
      assertBoth();
    }
  }

  @Test
  void aDeadlockAcrossTheDatabasesEndsAndBothAreDone() throws Exception {
    for (String id : List.of("1", "2")) {
      TestServers.execute(databases.orders, "insert into entry values ('" + id + "')");
      TestServers.execute(databases.ledger, "insert into entry values ('" + id + "')");
    }
    String touch = "update entry set id = id || '' where id = '1'";
    String touchThere = "update entry set id = concat(id, 'x') where id like '1%'";
    CountDownLatch bothHoldOne = new CountDownLatch(2);
    TransactionOptions options = TransactionOptions.DEFAULT.withAttempts(20);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      Future<?> one =
          threads.submit(
              () ->
                  holdfast
                      .atomic()
                      .with(ledger)
                      .options(options)
                      .run(
                          tx -> {
                            tx.update(touch);
                            meet(bothHoldOne);
                            tx.on(ledger).update(touchThere);
                          }));
      Future<?> two =
          threads.submit(
              () ->
                  holdfast
                      .atomic()
                      .with(ledger)
                      .options(options)
                      .run(
                          tx -> {
                            tx.on(ledger).update(touchThere);
                            meet(bothHoldOne);
                            tx.update(touch);
                          }));
      one.get(60, TimeUnit.SECONDS);
      two.get(60, TimeUnit.SECONDS);
    } finally {
      threads.shutdownNow();
    }
    assertThat(databases.inLedger()).containsExactly("1xx", "2");
    assertThat(databases.prepared(holdfast)).isZero();
  }

  /** Only the first time: an attempt that is run again has nobody to wait for. */
  private static void meet(CountDownLatch missing) {
    missing.countDown();
    try {
      assertThat(missing.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void joinsATransactionThatSomebodyElseCommits() throws SQLException {
    for (boolean commit : new boolean[] {true, false}) {
      try (Connection connection = databases.orders.getConnection()) {
        connection.setAutoCommit(false);
        try (Joined<Integer> joined = join(connection, commit ? "yes" : "no")) {
          assertThat(joined.result()).isOne();
          assertThat(databases.prepared(holdfast)).isOne();
          if (commit) {
            connection.commit();
            joined.committed();
          } else {
            connection.rollback();
            joined.rolledBack();
          }
        }
        connection.setAutoCommit(true);
      }
    }
    assertBoth("yes");
  }

  private Joined<Integer> join(Connection connection, String id) {
    return holdfast
        .atomic()
        .with(ledger)
        .join(
            connection,
            tx -> {
              tx.update(INSERT, id);
              return tx.on(ledger).update(INSERT, id);
            });
  }

  @Test
  void aBranchThatWasEndedByHandIsReported() throws SQLException {
    Gid gid;
    try (Connection connection = databases.orders.getConnection()) {
      connection.setAutoCommit(false);
      Joined<Integer> joined = join(connection, "a");
      gid = holdfast.twoPhase().inDoubt().get(0).gid();
      // An owner that dies, and an operator who was too fast.
      joined.close();
      rollBackByHand(gid);
      connection.commit();
      connection.setAutoCommit(true);
    }
    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 0, 0));
    holdfast.twoPhase().clean();
    assertThat(holdfast.twoPhase().heuristics(10))
        .singleElement()
        .satisfies(
            each -> {
              assertThat(each.gid()).isEqualTo(gid);
              assertThat(each.kind()).isEqualTo(Heuristic.Kind.ROLLED_BACK);
            });
  }

  private void rollBackByHand(Gid gid) {
    String sql = ledger.branches().statement(gid, false);
    Awaitility.await()
        .ignoreExceptionsInstanceOf(SQLException.class)
        .untilAsserted(() -> TestServers.execute(databases.ledger, sql));
  }

  @Test
  void aBranchThatWasEndedByHandBehindAKilledServerIsReported() throws SQLException {
    try (Connection connection = databases.orders.getConnection()) {
      connection.setAutoCommit(false);
      Joined<Integer> joined = join(connection, "a");
      Gid gid = holdfast.twoPhase().inDoubt().get(0).gid();
      // Only when the server has lost the connection can anybody else end it.
      TestServers.MariaDb.SERVER.kill();
      TestServers.MariaDb.SERVER.restart();
      rollBackByHand(gid);
      connection.commit();
      connection.setAutoCommit(true);
      // The owner's connection is gone, so that it cannot know yet: recovery finds out.
      joined.committed();
    }
    holdfast.twoPhase().recover();
    holdfast.twoPhase().clean();
    assertThat(holdfast.twoPhase().heuristics(10))
        .extracting(Heuristic::kind)
        .containsExactly(Heuristic.Kind.ROLLED_BACK);
  }
}
