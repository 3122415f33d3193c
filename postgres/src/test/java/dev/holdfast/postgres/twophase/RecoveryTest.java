package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.twophase.HeuristicOutcome;
import dev.holdfast.twophase.InDoubt;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase.Recovered;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What is done about branches whose owner has died, or that somebody has ended by hand. */
final class RecoveryTest {
  private TwoDatabases databases;
  private Participant ledger;
  private Holdfast holdfast;

  @BeforeEach
  void open() throws SQLException {
    databases = new TwoDatabases();
    ledger = databases.participant();
    holdfast = databases.process(ledger);
    holdfast.twoPhase().recover();
  }

  @AfterEach
  void close() {
    holdfast.close();
    databases.close();
  }

  @Test
  void aBranchWhoseOwnerIsAliveIsLeftAlone() throws SQLException {
    try (DeadOwner owner = new DeadOwner(databases, ledger, "a")) {
      assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 1, 0));
      assertThat(holdfast.twoPhase().inDoubt())
          .singleElement()
          .satisfies(
              each -> {
                assertThat(each.state()).isEqualTo(InDoubt.State.OWNER_ALIVE);
                assertThat(each.statement()).isNull();
                assertThat(each.branch().locks()).isPositive();
              });

      owner.afterCommitting();
    }
    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(1, 0, 0, 0));
    assertBoth("a");
  }

  @Test
  void aBranchIsCommittedWhenItsOwnerDiedBehindTheDecision() throws SQLException {
    DeadOwner owner = new DeadOwner(databases, ledger, "a").afterCommitting();

    assertThat(holdfast.twoPhase().inDoubt())
        .singleElement()
        .satisfies(
            each -> {
              assertThat(each.state()).isEqualTo(InDoubt.State.COMMITTED);
              assertThat(each.operationId()).isEqualTo("of a");
              assertThat(each.statement()).isEqualTo("commit prepared '" + owner.gid() + "'");
            });
    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(1, 0, 0, 0));
    assertBoth("a");
  }

  @Test
  void aBranchIsRolledBackWhenItsOwnerDiedBeforeTheDecision() throws SQLException {
    DeadOwner owner = new DeadOwner(databases, ledger, "a").beforeCommitting();

    assertThat(holdfast.twoPhase().inDoubt())
        .singleElement()
        .satisfies(
            each -> {
              assertThat(each.state()).isEqualTo(InDoubt.State.ROLLED_BACK);
              assertThat(each.statement()).isEqualTo("rollback prepared '" + owner.gid() + "'");
            });
    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 1, 0, 0));
    assertBoth();
  }

  @Test
  void oneThatCannotBeReachedKeepsNoOtherFromBeingRecovered() throws SQLException {
    String another = databases.name + "_archive";
    TwoDatabases.ledgerServer().createDatabase(another);
    PGSimpleDataSource archive = new PGSimpleDataSource();
    archive.setUrl(TwoDatabases.ledgerServer().jdbcUrl(another));
    new DeadOwner(databases, ledger, "a").afterCommitting();
    try (Holdfast other =
        Holdfast.on(databases.orders)
            .participant(Participant.of("archive", archive))
            .participant(ledger)
            .twoPhase(TwoDatabases.SETTINGS)
            .manual()
            .holdfast()) {
      archive.setUrl("jdbc:postgresql://127.0.0.1:1/nowhere");

      assertThatThrownBy(() -> other.twoPhase().recover())
          .isInstanceOf(StoreUnavailable.class)
          .hasMessageContaining("127.0.0.1:1");
    }

    assertBoth("a");
  }

  @Test
  void itHappensByItself() throws SQLException {
    TwoPhaseSettings often = TwoDatabases.SETTINGS.withRecoveryInterval(Duration.ofMillis(50));
    try (Holdfast other =
        Holdfast.on(databases.orders).participant(ledger).twoPhase(often).start()) {
      new DeadOwner(databases, ledger, "a").afterCommitting();
      new DeadOwner(databases, ledger, "b").beforeCommitting();

      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> assertThat(databases.prepared()).isEmpty());
      assertBoth("a");
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () -> assertThat(databases.count(databases.orders, "holdfast.decision")).isZero());
      assertThat(other.twoPhase().heuristics(10)).isEmpty();
    }
  }

  @Test
  @Attacks("twophase.recovery.side-by-side")
  void manyRecoverersAndCleanersAtOnceAgree() throws Exception {
    List<String> committed = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      DeadOwner owner = new DeadOwner(databases, ledger, "%02d".formatted(i));
      if (i % 2 == 0) {
        owner.afterCommitting();
        committed.add("%02d".formatted(i));
      } else {
        owner.beforeCommitting();
      }
    }
    List<Holdfast> processes = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        Holdfast process = databases.process(ledger);
        processes.add(process);
        all.add(
            threads.submit(
                () -> {
                  for (int round = 0; round < 5; round++) {
                    process.twoPhase().recover();
                    process.twoPhase().clean();
                  }
                }));
      }
      for (Future<?> each : all) {
        each.get(120, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
      processes.forEach(Holdfast::close);
    }
    holdfast.twoPhase().recover();
    holdfast.twoPhase().clean();

    assertBoth(committed.toArray(String[]::new));
    assertThat(databases.prepared()).isEmpty();
    assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
    assertThat(databases.count(databases.orders, "holdfast.decision")).isZero();
    assertThat(databases.count(databases.ledger, "holdfast.witness")).isZero();
  }

  @Test
  @Attacks("twophase.heuristics")
  void aBranchThatWasRolledBackByHandIsReportedAndNotRepaired() throws SQLException {
    DeadOwner owner = new DeadOwner(databases, ledger, "a").afterCommitting();
    byHand("rollback prepared '" + owner.gid() + "'");

    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 0, 0));
    holdfast.twoPhase().clean();
    holdfast.twoPhase().clean();

    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a");
    assertThat(TwoDatabases.entries(databases.ledger)).isEmpty();
    assertFound(owner.gid(), Heuristic.Kind.ROLLED_BACK);
    assertThat(holdfast.twoPhase().acknowledge(owner.gid(), "ann: entered again")).isTrue();
    assertThat(holdfast.twoPhase().acknowledge(owner.gid(), "bob: too late")).isFalse();
    assertThat(holdfast.twoPhase().heuristics(10))
        .singleElement()
        .satisfies(each -> assertThat(each.acknowledged()).isEqualTo("ann: entered again"));
    assertThatThrownBy(() -> holdfast.twoPhase().acknowledge(owner.gid(), " "))
        .isInstanceOf(InvalidConfiguration.class);
  }

  @Test
  @Attacks("twophase.heuristics")
  void aBranchThatWasCommittedByHandIsReportedAndNotRepaired() throws SQLException {
    DeadOwner owner = new DeadOwner(databases, ledger, "a").beforeCommitting();
    byHand("commit prepared '" + owner.gid() + "'");

    holdfast.twoPhase().recover();
    holdfast.twoPhase().clean();

    assertThat(TwoDatabases.entries(databases.orders)).isEmpty();
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("a");
    assertFound(owner.gid(), Heuristic.Kind.COMMITTED);
  }

  @Test
  @Attacks({"twophase.heuristics", "twophase.answer"})
  void theCallerIsToldWhenItsBranchWasRolledBackByHand() throws SQLException {
    AtomicBoolean meddle = new AtomicBoolean(true);
    Participant meddled =
        Participant.of(
            "ledger",
            Meddled.before(
                ledger.branches(),
                "commitPrepared",
                gid -> {
                  if (meddle.getAndSet(false)) {
                    byHand("rollback prepared '" + gid + "'");
                  }
                }));
    try (Holdfast other = databases.process(meddled)) {
      assertThatThrownBy(
              () ->
                  other.atomically(
                      other.decider(),
                      meddled,
                      (o, l) -> {
                        o.update("insert into entry (id) values ('a')");
                        l.update("insert into entry (id) values ('a')");
                      }))
          .isInstanceOf(HeuristicOutcome.class)
          .hasMessageContaining("participant ledger")
          .hasMessageContaining("repair");
    }

    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a");
    assertThat(holdfast.twoPhase().heuristics(10)).hasSize(1);
  }

  @Test
  void aBranchThatWasCommittedByAnotherIsNoReasonToComplain() throws SQLException {
    Participant helped =
        Participant.of(
            "ledger",
            Meddled.before(
                ledger.branches(),
                "commitPrepared",
                gid -> {
                  try (Holdfast recoverer = databases.process(ledger)) {
                    recoverer.twoPhase().recover();
                  }
                }));
    try (Holdfast other = databases.process(helped)) {
      other.atomically(
          other.decider(),
          helped,
          (o, l) -> {
            o.update("insert into entry (id) values ('a')");
            l.update("insert into entry (id) values ('a')");
          });
    }

    assertBoth("a");
    assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
  }

  /** The participant was restored from before its commit, and the decision is forgotten. */
  @Test
  @Attacks("twophase.recovery.failover")
  void aBranchThatComesBackAfterItsDecisionWasForgottenIsReportedAndNeverRolledBack()
      throws SQLException {
    DeadOwner owner = new DeadOwner(databases, ledger, "a").afterCommitting();
    holdfast.twoPhase().recover();
    holdfast.twoPhase().clean();
    assertThat(databases.count(databases.orders, "holdfast.decision")).isZero();
    TwoDatabases.execute(databases.ledger, "delete from entry");
    prepareAgain(owner.gid());

    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 0, 1));
    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 0, 1));

    assertThat(databases.prepared()).containsExactly(owner.gid().text());
    assertFound(owner.gid(), Heuristic.Kind.TOO_OLD);
    assertThat(holdfast.twoPhase().inDoubt())
        .singleElement()
        .satisfies(
            each -> {
              assertThat(each.state()).isEqualTo(InDoubt.State.TOO_OLD);
              assertThat(each.statement()).isNull();
            });
    byHand("commit prepared '" + owner.gid() + "'");
  }

  /** As long as the decision is kept, the same is put right. */
  @Test
  @Attacks("twophase.recovery.failover")
  void aBranchThatComesBackBeforeItsDecisionIsForgottenIsCommittedAgain() throws SQLException {
    try (Holdfast careful =
        databases.process(ledger, TwoDatabases.SETTINGS.withKeepDecisions(Duration.ofHours(1)))) {
      DeadOwner owner = new DeadOwner(databases, ledger, "a").afterCommitting();
      careful.twoPhase().recover();
      careful.twoPhase().clean();
      TwoDatabases.execute(databases.ledger, "delete from entry");
      TwoDatabases.execute(databases.ledger, "delete from holdfast.witness");
      prepareAgain(owner.gid());

      assertThat(careful.twoPhase().recover()).isEqualTo(new Recovered(1, 0, 0, 0));
      assertBoth("a");
    }
  }

  @Test
  @Attacks("twophase.recovery.failover")
  void nothingIsForgottenBeyondABranchThatIsPrepared() throws SQLException {
    try (DeadOwner open = new DeadOwner(databases, ledger, "a")) {
      DeadOwner later = new DeadOwner(databases, ledger, "b").afterCommitting();
      holdfast.twoPhase().recover();
      holdfast.twoPhase().clean();
      assertThat(databases.count(databases.orders, "holdfast.decision")).isOne();
      assertThat(later.gid().serial()).isGreaterThan(open.gid().serial());
    }
    holdfast.twoPhase().recover();
    holdfast.twoPhase().clean();
    assertThat(databases.count(databases.orders, "holdfast.decision")).isZero();
    assertBoth("b");
  }

  /** Two operations of one transaction id: the database hands ids out again after a crash. */
  @Test
  void anOldBranchDoesNotTakeTheDecisionOfALaterOneWithTheSameSerialForItsOwn()
      throws SQLException {
    DeadOwner owner = new DeadOwner(databases, ledger, "a").beforeCommitting();
    TwoDatabases.execute(
        databases.orders,
        "insert into holdfast.decision (serial, nonce, participants, within_ms) values (%d, %d, '{ledger}', 60000)"
            .formatted(owner.gid().serial(), owner.gid().nonce() + 1));

    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 1, 0, 0));
    assertBoth();
  }

  @Test
  void whatIsNotOursIsLeftAlone() throws SQLException {
    TwoDatabases.execute(
        databases.ledger, "begin; insert into entry values ('x', 1); prepare transaction 'theirs'");
    TwoDatabases.execute(
        databases.ledger,
        "begin; insert into entry values ('y', 1); prepare transaction 'hf:AAAAAAAAAAAAAAAAAAAAAA:1:0000000000000000:ledger'");

    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 0, 0));
    assertThat(databases.prepared()).hasSize(2);
    byHand("rollback prepared 'theirs'");
    byHand("rollback prepared 'hf:AAAAAAAAAAAAAAAAAAAAAA:1:0000000000000000:ledger'");
  }

  private void prepareAgain(Gid gid) throws SQLException {
    TwoDatabases.execute(
        databases.ledger,
        "begin; insert into entry (id) values ('a');"
            + " insert into holdfast.witness (store_id, participant, serial, nonce) values ('%s', 'ledger', %d, %d); prepare transaction '%s'"
                .formatted(gid.storeId(), gid.serial(), gid.nonce(), gid));
  }

  private void byHand(String sql) throws SQLException {
    try (Connection connection = databases.ledger.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private void assertFound(Gid gid, Heuristic.Kind kind) {
    assertThat(holdfast.twoPhase().heuristics(10))
        .singleElement()
        .satisfies(
            each -> {
              assertThat(each.gid()).isEqualTo(gid);
              assertThat(each.kind()).isEqualTo(kind);
              assertThat(each.acknowledged()).isNull();
            });
  }

  private void assertBoth(String... ids) throws SQLException {
    assertThat(TwoDatabases.entries(databases.orders)).containsExactly(ids);
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly(ids);
  }
}
