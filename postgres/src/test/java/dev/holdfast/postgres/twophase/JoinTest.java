package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.Holdfast;
import dev.holdfast.NoTransaction;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.TransactionRunner;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.twophase.Joined;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase.Recovered;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Other databases in a transaction of the deciding one that somebody else begins and ends. */
final class JoinTest {
  private TwoDatabases databases;
  private Participant ledger;
  private Holdfast holdfast;
  private Connection caller;

  @BeforeEach
  void open() throws SQLException {
    databases = new TwoDatabases();
    ledger = databases.participant();
    holdfast = databases.process(ledger);
    caller = databases.orders.getConnection();
    caller.setAutoCommit(false);
  }

  @AfterEach
  void close() throws SQLException {
    caller.close();
    holdfast.close();
    databases.close();
  }

  private Joined<String> join(String id) {
    return holdfast
        .atomic()
        .with(ledger)
        .join(
            caller,
            tx -> {
              tx.on(ledger).update("insert into entry (id) values (?)", id);
              return id;
            });
  }

  private void insertHere(String id) throws SQLException {
    try (PreparedStatement statement =
        caller.prepareStatement("insert into entry (id) values (?)")) {
      statement.setString(1, id);
      statement.executeUpdate();
    }
  }

  @Test
  void aDecidingConnectionThatBreaksBehindThePrepareLeavesNothingBehind() throws SQLException {
    int backend = caller.unwrap(org.postgresql.PGConnection.class).getBackendPID();
    Participant meddled =
        Participant.of(
            "ledger",
            Meddled.around(
                ledger.branches(),
                "prepare",
                Meddled.Action.NONE,
                gid ->
                    TwoDatabases.list(
                        databases.orders, "select pg_terminate_backend(" + backend + ", 10000)")));
    try (Holdfast other = databases.process(meddled)) {
      assertThatThrownBy(
              () ->
                  other
                      .atomic()
                      .with(meddled)
                      .join(
                          caller,
                          tx -> tx.on(meddled).update("insert into entry (id) values (?)", "a")))
          .isInstanceOf(dev.holdfast.HoldfastException.class);

      assertThat(databases.ledger.getHikariPoolMXBean().getActiveConnections()).isZero();
      assertThat(other.twoPhase().recover().rolledBack()).isEqualTo(1);
    }
    assertThat(TwoDatabases.entries(databases.ledger)).isEmpty();
  }

  @Test
  void aCommitWithoutTheOperationIsNotBelieved() throws SQLException {
    insertHere("a");
    Savepoint before = caller.setSavepoint();
    try (Joined<String> joined = join("b")) {
      caller.rollback(before);
      caller.commit();

      assertThatThrownBy(joined::committed)
          .isInstanceOf(NoTransaction.class)
          .hasMessageContaining("rolled back to a savepoint");
    }

    assertThat(holdfast.twoPhase().recover().rolledBack()).isEqualTo(1);
    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a");
    assertThat(TwoDatabases.entries(databases.ledger)).isEmpty();
    assertThat(databases.prepared()).isEmpty();
  }

  @Test
  void theOtherIsCommittedWithTheCallersTransaction() throws SQLException {
    insertHere("a");
    try (Joined<String> joined = join("a")) {
      assertThat(joined.result()).isEqualTo("a");
      assertThat(databases.prepared()).hasSize(1);
      insertHere("b");
      caller.commit();
      joined.committed();
    }

    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a", "b");
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("a");
    assertThat(databases.prepared()).isEmpty();
  }

  @Test
  void theOtherIsRolledBackWithTheCallersTransaction() throws SQLException {
    insertHere("a");
    try (Joined<String> joined = join("a")) {
      caller.rollback();
      joined.rolledBack();
    }

    assertNothing();
  }

  @Test
  void recoveryFindsOutWhenTheCallerTellsNothing() throws SQLException {
    insertHere("a");
    join("a").close();
    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 1, 0));
    caller.commit();
    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(1, 0, 0, 0));

    insertHere("b");
    join("b").close();
    caller.rollback();
    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 1, 0, 0));

    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a");
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("a");
  }

  @Test
  void severalJoinOneTransaction() throws SQLException {
    Joined<String> first = join("a");
    Joined<String> second = join("b");
    caller.commit();
    first.committed();
    second.committed();

    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("a", "b");
    assertThat(databases.prepared()).isEmpty();
  }

  @Test
  void whatIsRolledBackToASavepointTakesTheOtherWithIt() throws SQLException {
    insertHere("a");
    Savepoint before = caller.setSavepoint();
    join("b").close();
    caller.rollback(before);
    caller.commit();
    holdfast.twoPhase().recover();

    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a");
    assertThat(TwoDatabases.entries(databases.ledger)).isEmpty();
  }

  @Test
  void aFailureInTheOtherLeavesTheCallersTransactionAsItWas() throws SQLException {
    TwoDatabases.execute(
        databases.ledger,
        "alter table entry add constraint later unique (value) deferrable initially deferred");
    insertHere("a");

    assertThatThrownBy(
            () ->
                holdfast
                    .atomic()
                    .with(ledger)
                    .join(
                        caller,
                        tx -> tx.on(ledger).update("insert into entry values ('x', 1), ('y', 1)")))
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("participant ledger");
    caller.commit();
    holdfast.twoPhase().recover();
    holdfast.twoPhase().clean();

    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a");
    assertThat(TwoDatabases.entries(databases.ledger)).isEmpty();
    assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
  }

  @Test
  void theOutcomeOfACommitWhoseReplyIsLostIsAskedFor() throws SQLException {
    insertHere("a");
    Joined<String> joined = join("a");
    assertThat(joined.resolve()).isInstanceOf(Outcome.Unknown.class);
    caller.commit();
    assertThat(joined.resolve()).isInstanceOf(Outcome.Committed.class);

    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("a");
    assertThat(databases.prepared()).isEmpty();
  }

  @Test
  void needsATransaction() throws SQLException {
    caller.setAutoCommit(true);

    assertThatThrownBy(() -> join("a")).isInstanceOf(NoTransaction.class);
    assertNothing();
  }

  @Test
  void aFrameworkMayBeginAndEndTheDecidingTransaction() throws SQLException {
    TransactionRunner framework = runner(() -> {});
    Holdfast inFramework = holdfast.transactingBy(framework);

    inFramework.atomically(
        holdfast.decider(),
        ledger,
        (o, l) -> {
          o.update("insert into entry (id) values ('a')");
          l.update("insert into entry (id) values ('a')");
        });

    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a");
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("a");
    assertThat(databases.prepared()).isEmpty();
  }

  @Test
  void whatTheFrameworkRefusesToCommitIsCommittedNowhere() throws SQLException {
    Holdfast inFramework =
        holdfast.transactingBy(
            runner(
                () -> {
                  throw new IllegalStateException("rollback only");
                }));

    assertThatThrownBy(
            () ->
                inFramework.atomically(
                    holdfast.decider(),
                    ledger,
                    (o, l) -> {
                      o.update("insert into entry (id) values ('a')");
                      l.update("insert into entry (id) values ('a')");
                    }))
        .isInstanceOf(IllegalStateException.class);

    assertNothing();
  }

  @Test
  void aReplyThatTheFrameworkDoesNotGetIsAnUnknownOutcome() throws SQLException {
    Holdfast inFramework =
        holdfast.transactingBy(
            new TransactionRunner() {
              @Override
              public <T> T run(dev.holdfast.Isolation isolation, Work<T> work) throws SQLException {
                work.run(caller);
                caller.commit();
                throw new SQLException("the connection was reset", "08006");
              }
            });

    assertThatThrownBy(
            () ->
                inFramework.atomically(
                    holdfast.decider(),
                    ledger,
                    (o, l) -> {
                      o.update("insert into entry (id) values ('a')");
                      l.update("insert into entry (id) values ('a')");
                    }))
        .isInstanceOfSatisfying(
            OutcomeUnknown.class,
            e -> assertThat(e.resolve()).isInstanceOf(Outcome.Committed.class));
    holdfast.twoPhase().recover();

    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("a");
  }

  private interface BeforeCommit {
    void run();
  }

  private TransactionRunner runner(BeforeCommit beforeCommit) {
    return new TransactionRunner() {
      @Override
      public <T> T run(dev.holdfast.Isolation isolation, Work<T> work) throws SQLException {
        try {
          T result = work.run(caller);
          beforeCommit.run();
          caller.commit();
          return result;
        } catch (SQLException | RuntimeException e) {
          caller.rollback();
          throw e;
        }
      }
    };
  }

  private void assertNothing() throws SQLException {
    assertThat(TwoDatabases.entries(databases.orders)).isEmpty();
    assertThat(TwoDatabases.entries(databases.ledger)).isEmpty();
    assertThat(databases.prepared()).isEmpty();
  }
}
