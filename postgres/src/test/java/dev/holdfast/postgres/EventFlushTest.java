package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.CheckpointAhead;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventLog;
import dev.holdfast.eventlog.EventPage;
import dev.holdfast.eventlog.EventReader;
import dev.holdfast.eventlog.ExpectedVersion;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The database is killed behind a look at events whose commits were not flushed. It hands their
 * positions out again.
 */
final class EventFlushTest {
  private static final String FENCE = "pg_logical_emit_message(false, 'holdfast', '', true)";

  /** More than the sequence logs ahead, so that the crash takes positions back. */
  private static final int UNFLUSHED = 100;

  // Nothing reaches the disk by chance.
  private final PostgresServer server =
      PostgresServer.builder()
          .setting("wal_writer_delay", "10s")
          .setting("autovacuum", "off")
          .start();
  private final HikariDataSource pool = TestDatabase.pool(server.jdbcUrl(), 8);
  private final PostgresStore store = PostgresStore.open(pool, "holdfast");
  private final EventLog log = new EventLog(store.events());
  private final List<UUID> read = new ArrayList<>();

  @BeforeEach
  void begin() {
    store.schema().migrate();
  }

  @AfterEach
  void end() {
    pool.close();
    server.close();
  }

  private EventReader reader(DataSource source) {
    return new EventLog(PostgresStore.open(source, "holdfast").events()).reader(0);
  }

  private DataSource withoutTheFence() {
    return SqlHook.replacing(pool, FENCE, "null::pg_lsn");
  }

  private static Append one() {
    return Append.to("s", ExpectedVersion.any(), EventData.json("noted", "{}"));
  }

  private void append(int count, boolean flushed) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < count; i++) {
        store.events().append(connection, one(), "op");
        // Behind the append, which would see to it.
        statement.execute("set local synchronous_commit = " + (flushed ? "on" : "off"));
        connection.commit();
      }
    }
  }

  private void drain(EventReader reader) {
    for (EventPage page = reader.next(1_000); !page.events().isEmpty(); page = reader.next(1_000)) {
      page.events().forEach(event -> read.add(event.id()));
    }
  }

  /** A log that has gone back behind what is believed is noticed; by then it may be too late. */
  private void drainAsFarAsItGoes(EventReader reader) {
    try {
      drain(reader);
    } catch (CheckpointAhead e) {
      // What was read before that counts.
    }
  }

  private void crash() {
    server.killServer();
    server.restart();
    pool.getHikariPoolMXBean().softEvictConnections();
    await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> !there().isEmpty());
  }

  private List<UUID> there() throws SQLException {
    List<UUID> there = new ArrayList<>();
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select event_id from holdfast.event")) {
      while (rows.next()) {
        there.add(rows.getObject(1, UUID.class));
      }
    }
    return there;
  }

  private record Damage(long phantom, long lost) {}

  private Damage damage() throws SQLException {
    List<UUID> there = there();
    assertThat(read).doesNotHaveDuplicates();
    return new Damage(
        read.stream().filter(id -> !there.contains(id)).count(),
        there.stream().filter(id -> !read.contains(id)).count());
  }

  private Damage crashBehindAPage(DataSource source) throws SQLException {
    EventReader reader = reader(source);
    append(3, true);
    drain(reader);
    append(UNFLUSHED, false);
    drain(reader);
    assertThat(read).hasSize(3 + UNFLUSHED);
    crash();
    append(UNFLUSHED + 20, true);
    drain(reader);
    return damage();
  }

  @Test
  @Attacks("eventlog.durability")
  void whatWasReadIsThereAfterACrashAndNothingIsOverlooked() throws SQLException {
    assertThat(crashBehindAPage(pool)).isEqualTo(new Damage(0, 0));
  }

  @Test
  void withoutTheFenceTheSameCrashInventsAndLosesEvents() throws SQLException {
    Damage damage = crashBehindAPage(withoutTheFence());
    assertThat(damage.phantom()).as("read, and not there after the crash").isPositive();
    assertThat(damage.lost()).as("there, and never read").isPositive();
  }

  /** A mark is kept, since somebody holds it; the crash takes its positions back. */
  private Damage crashBehindAMark(DataSource source) throws SQLException {
    EventReader reader = reader(source);
    append(3, true);
    drain(reader);
    try (Connection holder = pool.getConnection()) {
      holder.setAutoCommit(false);
      store.events().append(holder, one(), "op");
      try (Connection connection = pool.getConnection();
          Statement statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        for (int i = 0; i < UNFLUSHED; i++) {
          store.events().append(connection, other(i), "op");
          statement.execute("set local synchronous_commit = off");
          connection.commit();
        }
      }
      assertThat(reader.next(1_000).waiting()).isTrue();
      crash();
    } catch (SQLException e) {
      // The holder's session went with the server.
    }
    try (Connection late = pool.getConnection()) {
      late.setAutoCommit(false);
      store.events().append(late, one(), "op");
      log.append(other(-1));
      drainAsFarAsItGoes(reader);
      late.commit();
    }
    drainAsFarAsItGoes(reader);
    return damage();
  }

  private static Append other(int i) {
    return Append.to("t" + i, ExpectedVersion.any(), EventData.json("noted", "{}"));
  }

  @Test
  @Attacks({"eventlog.durability", "eventlog.settled"})
  void aMarkThatIsKeptRestsOnNothingThatACrashTakesBack() throws SQLException {
    assertThat(crashBehindAMark(pool)).isEqualTo(new Damage(0, 0));
    assertThat(read).hasSize(3 + UNFLUSHED + 2);
  }

  @Test
  void aMarkThatIsKeptWithoutTheFenceLosesWhatIsCommittedLateAfterTheCrash() throws SQLException {
    assertThat(crashBehindAMark(withoutTheFence()).lost()).isPositive();
  }
}
