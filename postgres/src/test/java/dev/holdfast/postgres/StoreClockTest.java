package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Message;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.Page;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Time is moved in the store, and everything that waits for it follows. */
final class StoreClockTest {
  private static final Duration LEASE = Duration.ofSeconds(5);
  private static final Duration LONG = Duration.ofDays(30);

  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
  }

  private StoreClock clock() {
    return StoreClock.of(TestDatabase.dataSource(), schema);
  }

  private void publish(Message message) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      store.writer().publish(connection, "op", List.of(message));
      connection.commit();
    }
  }

  private static void execute(String sql) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Test
  void whatIsDueTomorrowIsDueOnceTimeHasMoved() throws SQLException {
    try (StoreClock clock = clock()) {
      Lease upkeep = store.leases().tryAcquire("upkeep", "me", LONG).orElseThrow();
      Instant tomorrow = Instant.now().plus(1, ChronoUnit.DAYS);
      publish(Message.to("orders").key("k").json("{}").deliverAt(tomorrow).build());
      clock.advance(Duration.ofHours(23));
      assertThat(store.upkeep().moveDue(upkeep, 10)).isZero();
      clock.advance(Duration.ofHours(1));
      assertThat(store.upkeep().moveDue(upkeep, 10)).isOne();
    }
  }

  @Test
  void aLeaseExpiresOnceTimeHasMoved() {
    try (StoreClock clock = clock()) {
      Lease first = store.leases().tryAcquire("work", "first", LEASE).orElseThrow();
      assertThat(store.leases().tryAcquire("work", "second", LEASE)).isEmpty();
      clock.advance(LEASE);
      assertThat(store.leases().tryAcquire("work", "second", LEASE)).isPresent();
      assertThat(store.leases().renew(first, LEASE)).isFalse();
    }
  }

  @Test
  void segmentsAreEmptiedOnceRetentionIsOver() throws SQLException {
    try (StoreClock clock = clock()) {
      Lease upkeep = store.leases().tryAcquire("upkeep", "me", LONG).orElseThrow();
      Lease channel = store.leases().tryAcquire("channel/c", "me", LONG).orElseThrow();
      publish(Message.of("orders", "k", "{}"));
      Page page =
          store
              .log()
              .read(
                  "c",
                  store.channels().progress("c").cursor(),
                  new OutboxLog.Limit(10, 1024),
                  true);
      assertThat(page.records()).hasSize(1);
      store.channels().saveProgress(channel, "c", page.end(), null);
      assertThat(store.upkeep().rotate(upkeep)).isZero();
      // Writers move on after half the retention, an hour; the segment is kept for all of it.
      clock.advance(Duration.ofMinutes(31));
      assertThat(store.upkeep().rotate(upkeep)).isZero();
      clock.advance(Duration.ofMinutes(30));
      assertThat(store.upkeep().rotate(upkeep)).isOne();
    }
  }

  @Test
  void timePassesFasterAndGoesOnAfterACrashOfTheTest() {
    StoreClock abandoned = clock();
    abandoned.advance(Duration.ofDays(3));
    abandoned.accelerate(1000);
    try (StoreClock clock = clock()) {
      Instant before = clock.now();
      assertThat(before).isAfter(Instant.now().plus(3, ChronoUnit.DAYS));
      clock.accelerate(1);
      assertThat(clock.now()).isAfterOrEqualTo(before);
    }
  }

  @Test
  void aClosedClockGivesBackTheTimeAndLeavesLeasesAsLongAsTheyWere() throws SQLException {
    try (StoreClock clock = clock()) {
      clock.advance(Duration.ofDays(100));
      assertThat(store.leases().tryAcquire("work", "me", Duration.ofMinutes(10))).isPresent();
    }
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                """
                select date_part('epoch', %1$s.now() - clock_timestamp()),
                       date_part('epoch', expires_at - clock_timestamp()),
                       to_regclass('%1$s.store_clock') is null
                from %1$s.lease where name = 'work'
                """
                    .formatted(schema))) {
      assertThat(row.next()).isTrue();
      assertThat(row.getDouble(1)).isCloseTo(0, within(1.0));
      // Less what has passed since, however slow the machine is.
      assertThat(row.getDouble(2)).isBetween(0.0, 600.0);
      assertThat(row.getBoolean(3)).isTrue();
    }
  }

  @Test
  void timeDoesNotMoveBack() {
    try (StoreClock clock = clock()) {
      assertThatThrownBy(() -> clock.advance(Duration.ofSeconds(-1)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> clock.accelerate(0.5)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aDatabaseThatAnotherMachineUsesIsRefused() throws SQLException {
    execute("copy (select 'host all all 127.0.0.2/32 trust') to program 'cat >> pg_hba.conf'");
    execute("select pg_reload_conf()");
    String elsewhere = TestDatabase.server().jdbcUrl() + "&localSocketAddress=127.0.0.2";
    try (Connection other =
        await()
            .ignoreExceptionsInstanceOf(SQLException.class)
            .until(() -> DriverManager.getConnection(elsewhere), opened -> true)) {
      assertThat(other.isValid(5)).isTrue();
      assertThatThrownBy(this::clock)
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("Other machines are connected")
          .hasMessageContaining("Nothing was changed");
    }
  }

  @Test
  void aStoreThatHasLivedForLongIsRefused() throws SQLException {
    execute(
        "update %s.schema_version set applied_at = applied_at - interval '8 days'"
            .formatted(schema));
    assertThatThrownBy(this::clock)
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("older than 7 days");
  }
}
