package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.twophase.ClaimLost;
import dev.holdfast.twophase.InDoubt;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase.Recovered;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A copy of the deciding database, one that was restarted, and one that was restored. */
final class ClaimTest {
  /** Settles after 300 ms. */
  private static final TwoPhaseSettings QUICK =
      TwoDatabases.SETTINGS.withDecideWithin(Duration.ofMillis(200));

  @TempDir Path directory;

  private TwoDatabases databases;
  private Participant ledger;
  private PostgresServer original;
  private HikariDataSource originalPool;
  private Holdfast holdfast;

  @BeforeEach
  void open() throws SQLException {
    databases = new TwoDatabases();
    ledger = databases.participant();
    original = PostgresServer.start();
    originalPool = pool(original);
    TwoDatabases.execute(originalPool, "create table entry (id text primary key)");
    holdfast = process(originalPool, TwoDatabases.SETTINGS);
    holdfast.twoPhase().recover();
  }

  @AfterEach
  void close() {
    holdfast.close();
    originalPool.close();
    original.close();
    databases.close();
  }

  private Holdfast process(HikariDataSource pool, TwoPhaseSettings settings) {
    return Holdfast.on(pool).participant(ledger).twoPhase(settings).manual().holdfast();
  }

  private static HikariDataSource pool(PostgresServer server) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(server.jdbcUrl());
    config.setMaximumPoolSize(5);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(5_000);
    return new HikariDataSource(config);
  }

  @Test
  @Attacks("twophase.recovery.copies")
  void aPhysicalCopyAbortsNothingAndTheOriginalGoesOn() throws SQLException {
    original.backup(directory.resolve("copy"));
    // After the copy was made, and live: its deciding transaction is open at the original.
    try (DeadOwner live = new DeadOwner(databases(originalPool), ledger, "live")) {
      try (PostgresServer copy =
              PostgresServer.builder().dataDirectory(directory.resolve("copy")).start();
          HikariDataSource copyPool = pool(copy);
          Holdfast copied = process(copyPool, TwoDatabases.SETTINGS)) {
        // It knows nothing of the branch, and must not take that for an abort.
        assertThat(copied.twoPhase().recover()).isEqualTo(new Recovered(0, 0, 1, 0));
        assertThat(copied.twoPhase().inDoubt())
            .singleElement()
            .satisfies(each -> assertThat(each.state()).isEqualTo(InDoubt.State.NOT_OURS_TO_ABORT));
        // The original objects at its next look, and works on.
        holdfast.twoPhase().recover();
        assertThat(copied.twoPhase().recover().rolledBack()).isZero();
        assertThatThrownBy(() -> operate(copied, "copy"))
            .isInstanceOf(ClaimLost.class)
            .hasMessageContaining("holdfast recover --claim ledger");
        operate(holdfast, "original");
      }
      assertThat(databases.prepared()).containsExactly(live.gid().text());
      live.afterCommitting();
    }
    assertThat(holdfast.twoPhase().recover()).isEqualTo(new Recovered(1, 0, 0, 0));
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("live", "original");
  }

  @Test
  void anOriginalThatOperatesObjectsWithoutLookingFirst() throws SQLException {
    operate(holdfast, "before");
    original.backup(directory.resolve("copy"));
    try (PostgresServer copy =
            PostgresServer.builder().dataDirectory(directory.resolve("copy")).start();
        HikariDataSource copyPool = pool(copy);
        Holdfast copied = process(copyPool, TwoDatabases.SETTINGS)) {
      copied.twoPhase().recover();

      operate(holdfast, "after");

      assertThatThrownBy(() -> operate(copied, "copy")).isInstanceOf(ClaimLost.class);

      // Past all serials of the original's, which the copy might forget for it.
      for (int i = 0; i < 30; i++) {
        TwoDatabases.list(copyPool, "select pg_current_xact_id()");
      }
      copied.twoPhase().clean();
      assertThat(TwoDatabases.list(databases.ledger, "select operation_id from holdfast.witness"))
          .isNotEmpty();
      holdfast.twoPhase().clean();
      assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
    }
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("after", "before");
  }

  @Test
  @Attacks("twophase.recovery.copies")
  void aDumpIsRefusedUntilAnOperatorSaysOtherwise() throws SQLException {
    try (PostgresServer other = PostgresServer.start();
        HikariDataSource otherPool = pool(other)) {
      TwoDatabases.execute(otherPool, "create table entry (id text primary key)");
      try (Holdfast restored = process(otherPool, TwoDatabases.SETTINGS)) {
        // What a dump brings along: the store's id, and the claim's token.
        String store =
            TwoDatabases.list(originalPool, "select store_id from holdfast.store").get(0);
        TwoDatabases.execute(otherPool, "update holdfast.store set store_id = '" + store + "'");
        String claim =
            TwoDatabases.list(originalPool, "select claim from holdfast.participant").get(0);
        restored.twoPhase().inDoubt();
        TwoDatabases.execute(
            otherPool,
            "insert into holdfast.participant (name, system, database, timeline, place, started, claim)"
                + " select 'ledger', c.system, c.database, 1, '', '', '%s' from (values ('%s', '%s')) as c(system, database)"
                    .formatted(
                        claim,
                        TwoDatabases.list(originalPool, "select system from holdfast.participant")
                            .get(0),
                        TwoDatabases.list(originalPool, "select database from holdfast.participant")
                            .get(0))
                + " on conflict (name) do update set claim = excluded.claim");

        try (Holdfast again = process(otherPool, TwoDatabases.SETTINGS)) {
          assertThatThrownBy(() -> operate(again, "restored")).isInstanceOf(ClaimLost.class);
          DeadOwner dead = new DeadOwner(databases(originalPool), ledger, "dead");
          dead.beforeCommitting();
          assertThat(again.twoPhase().recover().rolledBack()).isZero();

          again.twoPhase().claim("ledger");
          operate(again, "restored");
          assertThatThrownBy(() -> operate(holdfast, "original")).isInstanceOf(ClaimLost.class);
          assertThat(again.twoPhase().recover()).isEqualTo(new Recovered(0, 1, 0, 0));
        }
      }
    }
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("restored");
  }

  @Test
  @Attacks("twophase.recovery.anybody")
  void aServerThatWasRestartedCommitsAtOnceAndAbortsOnceItsClaimHasSettled() throws SQLException {
    new DeadOwner(databases(originalPool), ledger, "committed").afterCommitting();
    new DeadOwner(databases(originalPool), ledger, "dead").beforeCommitting();
    original.restart();
    originalPool.getHikariPoolMXBean().softEvictConnections();
    try (Holdfast restarted = process(originalPool, QUICK)) {
      Recovered first = restarted.twoPhase().recover();
      assertThat(first.committed()).isOne();
      // By the participant's clock; may have settled by now.
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () -> {
                restarted.twoPhase().recover();
                assertThat(databases.prepared()).isEmpty();
              });
      operate(restarted, "after");
    }
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("after", "committed");
  }

  @Test
  void aProcessInAnotherTimeZoneSeesTheSameServer() throws SQLException {
    new DeadOwner(databases(originalPool), ledger, "dead").beforeCommitting();
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(original.jdbcUrl());
    config.setMinimumIdle(0);
    config.setConnectionInitSql("set timezone to 'Asia/Tokyo'");
    try (HikariDataSource elsewhere = new HikariDataSource(config);
        Holdfast other = process(elsewhere, TwoDatabases.SETTINGS)) {
      assertThat(other.twoPhase().recover()).isEqualTo(new Recovered(0, 1, 0, 0));
    }
  }

  /** The negative control: with claims that need not settle a copy aborts what is live. */
  @Test
  void withoutSettlingACopyWouldAbortWhatIsLive() throws SQLException {
    original.backup(directory.resolve("copy"));
    try (DeadOwner live = new DeadOwner(databases(originalPool), ledger, "live")) {
      try (PostgresServer copy =
              PostgresServer.builder().dataDirectory(directory.resolve("copy")).start();
          HikariDataSource copyPool = pool(copy);
          Holdfast copied = process(copyPool, TwoDatabases.SETTINGS)) {
        copied.twoPhase().recover();
        TwoDatabases.execute(
            databases.ledger, "update holdfast.claim set settles_at = clock_timestamp()");

        assertThat(copied.twoPhase().recover()).isEqualTo(new Recovered(0, 1, 0, 0));
      }
      live.afterCommitting();
    }
    assertThat(TwoDatabases.entries(originalPool)).containsExactly("live");
    assertThat(TwoDatabases.entries(databases.ledger)).isEmpty();
  }

  @Test
  void anotherDatabaseInTheParticipantsPlaceIsRefused() throws SQLException {
    operate(holdfast, "a");
    try (TwoDatabases others = new TwoDatabases();
        Holdfast other =
            Holdfast.on(originalPool)
                .participant(others.participant())
                .twoPhase(TwoDatabases.SETTINGS)
                .manual()
                .holdfast()) {
      assertThatThrownBy(() -> other.twoPhase().recover())
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("not the database that it was");

      other.twoPhase().claim("ledger");
      other.twoPhase().recover();
    }
  }

  @Test
  void aParticipantThatCannotPrepareIsRefusedAtTheStart() throws SQLException {
    try (PostgresServer unable =
            PostgresServer.builder().setting("max_prepared_transactions", "0").start();
        HikariDataSource unablePool = pool(unable)) {
      Participant participant = Participant.of("unable", unablePool);
      assertThatThrownBy(
              () -> Holdfast.on(originalPool).participant(participant).manual().holdfast())
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("max_prepared_transactions");
    }
  }

  private void operate(Holdfast by, String id) {
    by.atomically(
        by.decider(),
        ledger,
        (o, l) -> {
          o.update("insert into entry (id) values (?)", id);
          l.update("insert into entry (id) values (?)", id);
        });
  }

  /** The same ledger, with the deciding database of this test. */
  private TwoDatabases databases(HikariDataSource orders) {
    return databases.decidedBy(orders);
  }
}
