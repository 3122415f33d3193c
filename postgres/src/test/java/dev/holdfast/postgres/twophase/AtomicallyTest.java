package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Isolation;
import dev.holdfast.StaleVersion;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.twophase.Branch;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What an operation across two databases does, when nothing crashes. */
final class AtomicallyTest {
  private static final String INSERT = "insert into entry (id) values (?)";

  private TwoDatabases databases;
  private Holdfast holdfast;
  private Participant orders;
  private Participant ledger;

  @BeforeEach
  void open() throws SQLException {
    databases = new TwoDatabases();
    ledger = databases.participant();
    holdfast = databases.process(ledger);
    orders = holdfast.decider();
  }

  @AfterEach
  void close() {
    holdfast.close();
    databases.close();
  }

  @Test
  void changesBothDatabases() throws SQLException {
    String result =
        holdfast.atomicallyReturning(
            orders,
            ledger,
            (o, l) -> {
              o.update(INSERT, "a");
              l.update(INSERT, "a");
              assertThat(l.operationId()).isEqualTo(o.operationId());
              return "done";
            });

    assertThat(result).isEqualTo("done");
    assertBoth("a");
    assertThat(databases.prepared()).isEmpty();
    assertThat(databases.count(databases.orders, "holdfast.decision")).isOne();
    assertThat(databases.count(databases.ledger, "holdfast.witness")).isOne();
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

    assertNothing();
  }

  @Test
  void aConstraintThatFailsAtThePrepareUndoesBoth() throws SQLException {
    TwoDatabases.execute(
        databases.ledger,
        "alter table entry add constraint later unique (value) deferrable initially deferred");

    assertThatThrownBy(
            () ->
                holdfast.atomically(
                    orders,
                    ledger,
                    (o, l) -> {
                      o.update(INSERT, "a");
                      l.update("insert into entry values ('a', 1), ('b', 1)");
                    }))
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("prepare at participant ledger")
        .hasMessageContaining("committed nowhere")
        .hasMessageContaining("23505");

    assertNothing();
  }

  @Test
  void aConstraintThatFailsAtTheDecidingCommitUndoesBoth() throws SQLException {
    TwoDatabases.execute(
        databases.orders,
        "alter table entry add constraint later unique (value) deferrable initially deferred");

    assertThatThrownBy(
            () ->
                holdfast.atomically(
                    orders,
                    ledger,
                    (o, l) -> {
                      o.update("insert into entry values ('a', 1), ('b', 1)");
                      l.update(INSERT, "a");
                    }))
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("23505");

    assertNothing();
  }

  @Test
  void whatCannotBePreparedSaysSoAndUndoesBoth() throws SQLException {
    for (String sql :
        new String[] {"notify something", "create temporary table t (id text) on commit drop"}) {
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
          .hasMessageContaining("participant ledger")
          .hasMessageContaining("0A000");
    }

    assertNothing();
  }

  @Test
  @Attacks("twophase.plain")
  void whoOnlyReadsTheOtherCommitsPlainly() throws SQLException {
    TwoDatabases.execute(databases.ledger, "insert into entry values ('x', 7)");

    holdfast.atomically(
        orders,
        ledger,
        (o, l) -> {
          try (var rows =
              l.connection().prepareStatement("select value from entry").executeQuery()) {
            rows.next();
            o.update("insert into entry values ('a', ?)", rows.getInt(1));
          }
        });

    assertThat(TwoDatabases.list(databases.orders, "select value from entry")).containsExactly("7");
    assertThat(databases.count(databases.orders, "holdfast.decision")).isZero();
  }

  @Test
  void aQueryThatWritesIsPrepared() throws SQLException {
    TwoDatabases.execute(
        databases.ledger,
        "create function put() returns void language sql as 'insert into entry (id) values (''f'')'");

    holdfast.atomically(
        orders,
        ledger,
        (o, l) -> {
          o.update(INSERT, "f");
          l.connection().prepareStatement("select put()").executeQuery().close();
        });

    assertBoth("f");
    assertThat(databases.count(databases.orders, "holdfast.decision")).isOne();
  }

  @Test
  @Attacks("twophase.plain")
  void whoOnlyChangesTheOtherCommitsPlainlyThere() throws SQLException {
    holdfast.atomically(orders, ledger, (o, l) -> l.update(INSERT, "a"));

    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("a");
    assertThat(databases.count(databases.orders, "holdfast.decision")).isZero();
    assertThat(databases.count(databases.ledger, "holdfast.witness")).isZero();
  }

  @Test
  void aBranchThatIsNotUsedIsNotBegun() throws SQLException {
    int before = databases.ledger.getHikariPoolMXBean().getTotalConnections();

    holdfast.atomically(
        orders,
        ledger,
        (o, l) -> {
          o.update(INSERT, "a");
          assertThat(databases.ledger.getHikariPoolMXBean().getActiveConnections()).isZero();
        });

    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a");
    assertThat(databases.ledger.getHikariPoolMXBean().getTotalConnections()).isEqualTo(before);
  }

  @Test
  @Attacks("twophase.locks")
  void aDeadlockAcrossTheDatabasesEndsAndBothOperationsAreDone() throws Exception {
    for (var pool : new javax.sql.DataSource[] {databases.orders, databases.ledger}) {
      TwoDatabases.execute(pool, "insert into entry values ('row', 0)");
    }
    String update = "update entry set value = value + 1 where id = 'row'";
    CountDownLatch bothHoldOne = new CountDownLatch(2);
    AtomicInteger attempts = new AtomicInteger();
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      Future<?> first =
          threads.submit(
              () ->
                  holdfast.atomically(
                      orders,
                      ledger,
                      (o, l) -> {
                        attempts.incrementAndGet();
                        o.update(update);
                        meet(bothHoldOne);
                        l.update(update);
                      }));
      Future<?> second =
          threads.submit(
              () ->
                  holdfast.atomically(
                      orders,
                      ledger,
                      (o, l) -> {
                        attempts.incrementAndGet();
                        l.update(update);
                        meet(bothHoldOne);
                        o.update(update);
                      }));
      first.get(60, TimeUnit.SECONDS);
      second.get(60, TimeUnit.SECONDS);
    } finally {
      threads.shutdownNow();
    }

    assertThat(attempts.get()).isGreaterThan(2);
    for (var pool : new javax.sql.DataSource[] {databases.orders, databases.ledger}) {
      assertThat(TwoDatabases.list(pool, "select value from entry")).containsExactly("2");
    }
  }

  private static void meet(CountDownLatch latch) {
    latch.countDown();
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void waitsForLocksAreBoundedAlthoughTheSessionsAreNot() {
    AtomicReference<String> here = new AtomicReference<>();
    AtomicReference<String> there = new AtomicReference<>();

    holdfast.atomically(
        orders,
        ledger,
        (o, l) -> {
          o.update(INSERT, "a");
          l.update(INSERT, "a");
          here.set(setting(o.connection(), "lock_timeout"));
          there.set(setting(l.connection(), "lock_timeout"));
        });

    assertThat(here.get()).isEqualTo("1s");
    assertThat(there.get()).isEqualTo("1s");
  }

  @Test
  void whoTakesTheBoundAwayIsRefused() throws SQLException {
    assertThatThrownBy(
            () ->
                holdfast.atomically(
                    orders,
                    ledger,
                    (o, l) -> {
                      o.update(INSERT, "a");
                      l.update(INSERT, "a");
                      l.update("set local lock_timeout = 0");
                    }))
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("lock_timeout");

    assertNothing();
  }

  @Test
  @Attacks({"twophase.durability", "twophase.recovery.bounded"})
  void theDecisionIsFlushedAndNotLeftAloneWhateverTheSessionWants() throws SQLException {
    AtomicReference<String> commit = new AtomicReference<>();
    try (var pool =
            databases.pool(
                TwoDatabases.ordersServer().jdbcUrl(databases.name)
                    + "&options=-c%20synchronous_commit=off",
                2);
        Holdfast other =
            Holdfast.on(pool)
                .participant(ledger)
                .twoPhase(TwoDatabases.SETTINGS.withDecideWithin(Duration.ofSeconds(7)))
                .manual()
                .holdfast()) {
      TwoDatabases.execute(
          databases.orders,
          """
          create function note() returns trigger language plpgsql as $$
          begin
            insert into entry (id) values (current_setting('synchronous_commit') || ' '
              || current_setting('idle_in_transaction_session_timeout'));
            return null;
          end $$;
          create constraint trigger note after insert on holdfast.decision
          deferrable initially deferred for each row execute function note()
          """);
      other.atomically(
          other.decider(),
          ledger,
          (o, l) -> {
            o.update(INSERT, "a");
            l.update(INSERT, "a");
            commit.set(setting(o.connection(), "synchronous_commit"));
          });
    }

    assertThat(commit.get()).isEqualTo("off");
    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a", "on 7s");
  }

  @Test
  void aUserWithoutTheRightsIsRefusedBeforeAnythingIsBegun() throws SQLException {
    String user = "user_of_" + databases.name;
    for (DataSource database : List.of(databases.orders, databases.ledger)) {
      TwoDatabases.execute(database, "create role " + user + " login");
      TwoDatabases.execute(database, "grant usage on schema holdfast to " + user);
      TwoDatabases.execute(database, "grant select on all tables in schema holdfast to " + user);
    }
    Participant poor =
        Participant.of("ledger", as(user, TwoDatabases.ledgerServer().jdbcUrl(databases.name)));

    assertThatThrownBy(() -> databases.process(poor))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("user of the participant lacks rights in the schema holdfast:")
        .hasMessageContaining("delete witness")
        .hasMessageContaining("holdfast_writer");
    assertThatThrownBy(
            () ->
                Holdfast.on(as(user, TwoDatabases.ordersServer().jdbcUrl(databases.name)))
                    .participant(databases.participant())
                    .manual()
                    .holdfast())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("user of the database that decides lacks rights")
        .hasMessageContaining("insert decision");
  }

  private static DataSource as(String user, String url) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(url.replace("user=postgres", "user=" + user));
    return source;
  }

  @Test
  void aNotificationIsNoQuery() throws SQLException {
    assertThatThrownBy(
            () ->
                holdfast.atomically(
                    orders,
                    ledger,
                    (o, l) -> {
                      o.update(INSERT, "a");
                      l.connection()
                          .prepareStatement("select pg_notify('something', '')")
                          .executeQuery()
                          .close();
                    }))
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("0A000");
    assertNothing();
  }

  @Test
  void whatFailsBehindTheDecisionIsNoFailureOfTheOperation() throws SQLException {
    AtomicBoolean isFirst = new AtomicBoolean(true);
    Participant shy =
        Participant.of(
            "ledger",
            Meddled.before(
                ledger.branches(),
                "commitPrepared",
                gid -> {
                  if (isFirst.getAndSet(false)) {
                    throw new IllegalStateException("The driver has lost its head.");
                  }
                }));
    try (Holdfast other = databases.process(shy)) {
      other.atomically(
          other.decider(),
          shy,
          (o, l) -> {
            o.update(INSERT, "a");
            l.update(INSERT, "a");
          });
      assertThat(databases.prepared()).hasSize(1);

      assertThat(other.twoPhase().recover().committed()).isEqualTo(1);
    }
    assertThat(TwoDatabases.entries(databases.orders)).containsExactly("a");
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly("a");
  }

  @Test
  @Attacks("twophase.recovery.bounded")
  void anOperationThatIsCommittedTooLateIsCommittedNowhere() throws SQLException {
    TwoPhaseSettings hasty = TwoDatabases.SETTINGS.withDecideWithin(Duration.ofMillis(100));
    TwoDatabases.execute(
        databases.ledger,
        """
        create function slow() returns trigger language plpgsql as $$
        begin perform pg_sleep(0.3); return null; end $$;
        create constraint trigger slow after insert on entry
        deferrable initially deferred for each row execute function slow()
        """);
    // The time is spent in the other's prepare, while the client leaves the deciding one alone.
    try (Holdfast other = databases.process(ledger, hasty)) {
      assertThatThrownBy(
              () ->
                  other.atomically(
                      other.decider(),
                      ledger,
                      (o, l) -> {
                        o.update(INSERT, "a");
                        o.update("set constraints all immediate");
                        l.update(INSERT, "a");
                      }))
          .isInstanceOf(dev.holdfast.HoldfastException.class);
      other.twoPhase().recover();
    }

    assertNothing();
  }

  @Test
  void everyIsolationLevelIsThatOfBoth() {
    for (Isolation level : Isolation.values()) {
      holdfast
          .atomic()
          .with(ledger)
          .isolation(level)
          .run(
              tx -> {
                tx.update(INSERT, level.name());
                Branch branch = tx.on(ledger);
                branch.update(INSERT, level.name());
                String wanted = level.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
                assertThat(setting(tx.connection(), "transaction_isolation")).isEqualTo(wanted);
                assertThat(setting(branch.connection(), "transaction_isolation")).isEqualTo(wanted);
              });
    }
  }

  @Test
  void aStaleVersionInTheOtherUndoesBoth() throws SQLException {
    assertThatThrownBy(
            () ->
                holdfast.atomically(
                    orders,
                    ledger,
                    (o, l) -> {
                      o.update(INSERT, "a");
                      l.updateExpected("update entry set value = 1 where id = 'none'");
                    }))
        .isInstanceOf(StaleVersion.class);

    assertNothing();
  }

  @Test
  void theConnectionsRefuseToBeEnded() throws SQLException {
    holdfast.atomically(
        orders,
        ledger,
        (o, l) -> {
          o.update(INSERT, "a");
          l.update(INSERT, "a");
          assertThatThrownBy(() -> l.connection().commit()).isInstanceOf(SQLException.class);
          assertThatThrownBy(() -> l.connection().rollback()).isInstanceOf(SQLException.class);
          assertThatThrownBy(() -> o.connection().commit()).isInstanceOf(SQLException.class);
        });

    assertBoth("a");
  }

  @Test
  void namesTheDatabasesThatCannotBeMeant() {
    assertThatThrownBy(() -> holdfast.atomically(ledger, ledger, (o, l) -> {}))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("decider()");
    assertThatThrownBy(() -> holdfast.atomically(orders, orders, (o, l) -> {}))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(
            () -> holdfast.atomic().with(ledger).with(ledger).run(tx -> tx.update("select 1")))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("twice");
    Participant itself = Participant.of("itself", databases.orders);
    assertThatThrownBy(() -> holdfast.atomically(orders, itself, (o, l) -> {}))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("one local transaction");
    Participant again = Participant.of("books", databases.ledger);
    assertThatThrownBy(() -> holdfast.atomically(orders, again, (o, l) -> {}))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("same database as participant ledger");
    assertThatThrownBy(() -> Participant.of("A b", databases.ledger))
        .isInstanceOf(InvalidConfiguration.class);
  }

  private static String setting(java.sql.Connection connection, String name) throws SQLException {
    try (var statement = connection.prepareStatement("select current_setting(?)")) {
      statement.setString(1, name);
      try (var rows = statement.executeQuery()) {
        rows.next();
        return rows.getString(1);
      }
    }
  }

  private void assertBoth(String... ids) throws SQLException {
    assertThat(TwoDatabases.entries(databases.orders)).containsExactly(ids);
    assertThat(TwoDatabases.entries(databases.ledger)).containsExactly(ids);
  }

  private void assertNothing() throws SQLException {
    assertBoth();
    assertThat(databases.prepared()).isEmpty();
    assertThat(databases.count(databases.orders, "holdfast.decision")).isZero();
    assertThat(databases.count(databases.ledger, "holdfast.witness")).isZero();
  }
}
