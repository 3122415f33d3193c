package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.LeaseStore;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A leader that has made sure of its lease, and is paused before it writes; its lease expires, and
 * a successor takes it.
 */
final class LeaseFenceTest {
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final Cursor OF_THE_OLD_ONE = Cursor.at("100:100:");
  private static final Cursor OF_THE_NEW_ONE = Cursor.at("200:200:");

  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
  private final String write = "update " + schema + ".progress";
  private Lease old;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    old = store.leases().tryAcquire("channel/c", "old", Duration.ofMillis(1)).orElseThrow();
  }

  private Optional<Lease> takeOver() {
    return store.leases().tryAcquire("channel/c", "new", LONG);
  }

  private boolean save(DataSource dataSource, Lease lease, Cursor cursor) {
    return PostgresStore.open(dataSource, schema)
        .channels()
        .saveProgress(lease, "c", cursor, "record");
  }

  private Cursor progress() {
    return store.channels().progress("c").cursor();
  }

  @Test
  @Attacks({"outbox.recovery.zombie", "outbox.recovery.zombie-repeats"})
  void theTakeoverWaitsForWhatTheOldLeaderHasBegunAndRefusesWhatItBeginsAfter() throws Exception {
    CompletableFuture<Optional<Lease>> takeover = new CompletableFuture<>();
    SqlHook hook =
        new SqlHook(
            write,
            () -> {
              takeover.completeAsync(this::takeOver);
              await().atMost(Duration.ofSeconds(30)).until(this::someoneWaitsForTheLease);
            });
    assertThat(save(hook.around(TestDatabase.dataSource()), old, OF_THE_OLD_ONE)).isTrue();
    assertThat(hook.ran()).isTrue();

    Lease current = takeover.get(30, TimeUnit.SECONDS).orElseThrow();
    // What the old leader wrote is there to be read, and it writes no more.
    assertThat(progress()).isEqualTo(OF_THE_OLD_ONE);
    assertThat(save(TestDatabase.dataSource(), current, OF_THE_NEW_ONE)).isTrue();
    assertThat(save(TestDatabase.dataSource(), old, OF_THE_OLD_ONE)).isFalse();
    assertThat(progress()).isEqualTo(OF_THE_NEW_ONE);
  }

  /** As when its host dies between two statements: nobody tells the database of it. */
  @Test
  @Attacks("outbox.recovery.takeover")
  void aLeaderThatDiesWhileItWritesKeepsNobodyOut() {
    CompletableFuture<Optional<Lease>> successor = new CompletableFuture<>();
    SqlHook hook =
        new SqlHook(
            write,
            () ->
                successor.complete(
                    CompletableFuture.supplyAsync(this::takeOver)
                        .orTimeout(30, TimeUnit.SECONDS)
                        .join()));

    assertThatThrownBy(() -> save(hook.around(TestDatabase.dataSource()), old, OF_THE_OLD_ONE))
        .isInstanceOf(StoreUnavailable.class)
        .hasMessageContaining("What was not committed is rolled back there.");

    Lease current = successor.join().orElseThrow();
    assertThat(save(TestDatabase.dataSource(), current, OF_THE_NEW_ONE)).isTrue();
    assertThat(progress()).isEqualTo(OF_THE_NEW_ONE);
  }

  /** One statement: there is no moment between the update and its commit. */
  @Test
  void aRenewalIsOneRoundTrip() throws IOException {
    Lease lease = takeOver().orElseThrow();
    try (RoundTrips wire = new RoundTrips(TestDatabase.server().port());
        HikariDataSource pool = TestDatabase.pool(wire.jdbcUrl(), 1)) {
      LeaseStore leases = PostgresStore.open(pool, schema).leases();
      assertThat(leases.renew(lease, LONG)).isTrue();
      int before = wire.count();
      assertThat(leases.renew(lease, LONG)).isTrue();
      assertThat(wire.count() - before).isEqualTo(1);
    }
  }

  private boolean someoneWaitsForTheLease() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%"
                    + schema
                    + ".lease%'")) {
      return rows.next();
    }
  }

  @Test
  void withoutTheLockTheOldLeaderWritesOverItsSuccessor() {
    SqlHook hook =
        new SqlHook(
                write,
                () -> {
                  Lease current =
                      await()
                          .atMost(Duration.ofSeconds(30))
                          .until(this::takeOver, Optional::isPresent)
                          .orElseThrow();
                  save(TestDatabase.dataSource(), current, OF_THE_NEW_ONE);
                })
            .andReplacing(" for share", "");
    assertThat(save(hook.around(TestDatabase.dataSource()), old, OF_THE_OLD_ONE)).isTrue();
    assertThat(progress()).as("the successor's progress").isEqualTo(OF_THE_OLD_ONE);
  }

  @Test
  void aNewEraAndTheLeaderItFencesDoNotMeetInADeadlock() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<Void> leader =
        CompletableFuture.runAsync(
            () -> {
              while (!done.get()) {
                takeOver().ifPresent(lease -> saveUntilFenced(lease, done));
              }
            });
    try {
      for (int era = 2; era <= 200; era++) {
        assertThat(store.channels().reanchor("c", false, "test")).isEqualTo(era);
      }
    } finally {
      done.set(true);
    }
    leader.get(60, TimeUnit.SECONDS);
  }

  private void saveUntilFenced(Lease lease, AtomicBoolean done) {
    boolean leads = true;
    while (leads && !done.get()) {
      leads = save(TestDatabase.dataSource(), lease, OF_THE_NEW_ONE);
    }
  }
}
