package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase.Recovered;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.twophase.store.Heuristic;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Failovers to a standby that has not seen the last that was flushed: what recovery can put right,
 * and what it can only report.
 */
@Tag("long")
final class FailoverTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final TwoPhaseSettings KEPT =
      TwoDatabases.SETTINGS.withKeepDecisions(Duration.ofHours(1));

  /** Its claims settle after 300 ms. */
  private static final TwoPhaseSettings QUICK =
      TwoDatabases.SETTINGS.withDecideWithin(Duration.ofMillis(200));

  private PostgresServer orders;
  private PostgresServer ledger;
  private TwoDatabases before;

  @BeforeEach
  void start() throws SQLException {
    orders = PostgresServer.start();
    ledger = PostgresServer.start();
    before = TwoDatabases.at(orders, ledger);
    before.createTables();
  }

  @AfterEach
  void end() {
    before.close();
    orders.close();
    ledger.close();
  }

  /** It comes back prepared, and what was decided is known. */
  @Test
  @Attacks({"twophase.recovery.failover", "twophase.durability"})
  void aParticipantThatHasLostItsCommitCommitsAgain() throws SQLException {
    try (PostgresServer standby = PostgresServer.builder().standbyOf(ledger).start()) {
      Participant missed = missing(standby, ledger, "commitPrepared");
      try (Holdfast owner = before.process(missed, KEPT)) {
        operate(owner, missed, "a");
        owner.twoPhase().clean();
      }
      assertThat(TwoDatabases.entries(before.ledger)).containsExactly("a");
      ledger.killServer();
      standby.promote();
      try (TwoDatabases after = TwoDatabases.at(orders, standby);
          Holdfast holdfast = after.process(after.participant(), KEPT)) {
        assertThat(TwoDatabases.entries(after.ledger)).isEmpty();
        assertThat(after.prepared()).hasSize(1);

        assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(1, 0, 0, 0));

        assertThat(TwoDatabases.entries(after.orders)).containsExactly("a");
        assertThat(TwoDatabases.entries(after.ledger)).containsExactly("a");
        holdfast.twoPhase().clean();
        assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
        operate(holdfast, after.participant(), "b");
      }
    }
  }

  /** The same when its decision is forgotten: a person has to look, and nothing is undone. */
  @Test
  @Attacks({"twophase.recovery.failover", "twophase.heuristics"})
  void aParticipantThatHasLostAForgottenCommitIsReportedAndNotRolledBack() throws SQLException {
    try (PostgresServer standby = PostgresServer.builder().standbyOf(ledger).start()) {
      Participant missed = missing(standby, ledger, "commitPrepared");
      try (Holdfast owner = before.process(missed)) {
        operate(owner, missed, "a");
        owner.twoPhase().clean();
      }
      assertThat(before.count(before.orders, "holdfast.decision")).isZero();
      ledger.killServer();
      standby.promote();
      try (TwoDatabases after = TwoDatabases.at(orders, standby);
          Holdfast holdfast = after.process(after.participant())) {
        assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 0, 1));
        assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 0, 1));

        assertThat(after.prepared()).hasSize(1);
        assertFound(holdfast, Heuristic.Kind.TOO_OLD);
        TwoDatabases.execute(after.ledger, "commit prepared '" + after.prepared().get(0) + "'");
        assertThat(TwoDatabases.entries(after.ledger)).containsExactly("a");
      }
    }
  }

  /** Nothing is left of the branch, and the operation was decided. */
  @Test
  @Attacks("twophase.heuristics")
  void aParticipantThatHasLostWhatItPreparedIsReported() throws SQLException {
    try (PostgresServer standby = PostgresServer.builder().standbyOf(ledger).start()) {
      Participant missed = missing(standby, ledger, "prepare");
      try (Holdfast owner = before.process(missed)) {
        operate(owner, missed, "a");
      }
      ledger.killServer();
      standby.promote();
      try (TwoDatabases after = TwoDatabases.at(orders, standby);
          Holdfast holdfast = after.process(after.participant())) {
        assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 0, 0));
        holdfast.twoPhase().clean();

        assertFound(holdfast, Heuristic.Kind.ROLLED_BACK);
        assertThat(TwoDatabases.entries(after.orders)).containsExactly("a");
        assertThat(TwoDatabases.entries(after.ledger)).isEmpty();
        operate(holdfast, after.participant(), "b");
      }
    }
  }

  /** It finds the decision and no witness, as if somebody had rolled the branch back. */
  @Test
  @Attacks({"twophase.heuristics", "twophase.recovery.copies"})
  void aDecidingDatabaseThatHasLostACleaningReportsNothing() throws SQLException {
    try (PostgresServer standby = PostgresServer.builder().standbyOf(orders).start()) {
      try (Holdfast owner = before.process(before.participant())) {
        operate(owner, before.participant(), "before");
        awaitReplayed(standby, orders);
        standby.detach();
        owner.twoPhase().clean();
      }
      assertThat(before.count(before.ledger, "holdfast.witness")).isZero();
      orders.killServer();
      standby.promote();
      try (TwoDatabases after = TwoDatabases.at(standby, ledger);
          Holdfast holdfast = after.process(after.participant(), QUICK)) {
        assertThat(after.count(after.orders, "holdfast.decision")).isOne();
        AtomicInteger more = new AtomicInteger();
        Awaitility.await()
            .atMost(SOON)
            .untilAsserted(
                () -> {
                  operate(holdfast, after.participant(), "after-" + more.incrementAndGet());
                  holdfast.twoPhase().clean();
                  assertThat(after.count(after.orders, "holdfast.decision")).isZero();
                });
        assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
        assertThat(TwoDatabases.entries(after.ledger)).contains("before", "after-1");
      }
    }
  }

  /**
   * What it has forgotten is committed in the other, or prepared: the one is reported, and the
   * other is rolled back, as the decider's own part of it was.
   */
  @Test
  @Attacks({"twophase.heuristics", "twophase.recovery.copies"})
  void aDecidingDatabaseThatHasLostDecisionsIsFoundOut() throws SQLException {
    try (PostgresServer standby = PostgresServer.builder().standbyOf(orders).start()) {
      Participant missed = missing(standby, orders, "prepare");
      try (Holdfast owner = before.process(missed)) {
        operate(owner, missed, "committed");
      }
      DeadOwner prepared =
          new DeadOwner(before, before.participant(), "prepared").afterCommitting();
      orders.killServer();
      standby.promote();
      try (TwoDatabases after = TwoDatabases.at(standby, ledger);
          Holdfast holdfast = after.process(after.participant(), QUICK)) {
        assertThat(TwoDatabases.entries(after.orders)).isEmpty();
        // Not at once: for all it knows the former one is still at it.
        assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 1, 0));
        assertThat(after.prepared()).containsExactly(prepared.gid().text());
        Awaitility.await()
            .atMost(SOON)
            .untilAsserted(
                () -> {
                  holdfast.twoPhase().recover();
                  assertThat(after.prepared()).isEmpty();
                });

        // Its transaction ids have to come to where the lost ones were.
        AtomicInteger more = new AtomicInteger();
        Awaitility.await()
            .atMost(SOON)
            .untilAsserted(
                () -> {
                  operate(holdfast, after.participant(), "after-" + more.incrementAndGet());
                  holdfast.twoPhase().clean();
                  assertFound(holdfast, Heuristic.Kind.COMMITTED);
                });
        assertThat(TwoDatabases.entries(after.ledger))
            .contains("committed", "after-1")
            .doesNotContain("prepared");
        assertThat(TwoDatabases.entries(after.orders))
            .contains("after-1")
            .doesNotContain("committed", "prepared");
      }
    }
  }

  /** The ledger, of whose operation the standby sees all before a call, and nothing after. */
  private Participant missing(PostgresServer standby, PostgresServer primary, String call) {
    return Participant.of(
        "ledger",
        Meddled.before(
            before.participant().branches(),
            call,
            gid -> {
              awaitReplayed(standby, primary);
              standby.detach();
            }));
  }

  private static void awaitReplayed(PostgresServer standby, PostgresServer primary)
      throws SQLException {
    String flushed = ask(primary, "select pg_current_wal_flush_lsn()");
    Awaitility.await()
        .atMost(SOON)
        .until(
            () -> ask(standby, "select pg_last_wal_replay_lsn() >= '" + flushed + "'").equals("t"));
  }

  private static String ask(PostgresServer server, String sql) throws SQLException {
    try (var connection = java.sql.DriverManager.getConnection(server.jdbcUrl());
        var statement = connection.createStatement();
        var row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  private static void operate(Holdfast by, Participant ledger, String id) {
    by.atomically(
        by.decider(),
        ledger,
        (o, l) -> {
          o.update("insert into entry (id) values (?)", id);
          l.update("insert into entry (id) values (?)", id);
        });
  }

  private static void assertFound(Holdfast holdfast, Heuristic.Kind kind) {
    assertThat(holdfast.twoPhase().heuristics(10))
        .extracting(Heuristic::kind)
        .containsExactly(kind);
  }
}
