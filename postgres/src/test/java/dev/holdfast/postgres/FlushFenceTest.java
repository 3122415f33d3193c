package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.Page;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The database is killed just after a window was read whose messages were committed without a
 * forced write, amid transactions that drew ids and rolled back. After the crash the server hands
 * those ids out again.
 */
final class FlushFenceTest {
  // Nothing reaches the disk by chance.
  private final PostgresServer server =
      PostgresServer.builder()
          .setting("wal_writer_delay", "10s")
          .setting("autovacuum", "off")
          .start();
  private final HikariDataSource pool = TestDatabase.pool(server.jdbcUrl(), 8);
  private final PostgresStore store = PostgresStore.open(pool, "holdfast");

  /** Reads what comes after a cursor, and says where it ends. */
  @FunctionalInterface
  private interface Reader {
    Cursor read(Cursor after, List<UUID> into) throws SQLException;
  }

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
  }

  @AfterEach
  void end() {
    pool.close();
    server.close();
  }

  private Cursor behindTheFence(Cursor after, List<UUID> into) {
    Page page = store.log().read("c", after, new OutboxLog.Limit(10_000, 1 << 24), true);
    page.records().forEach(record -> into.add(record.id()));
    assertThat(page.hasNext()).isFalse();
    return page.end();
  }

  /** The same window with the fence taken out. */
  private Cursor withoutAFence(Cursor after, List<UUID> into) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                """
                select w.s, m.id from (select pg_current_snapshot()::text as s) w
                left join holdfast.message m
                  on m.xid >= pg_snapshot_xmax('%1$s')
                  or m.xid = any (array(select pg_snapshot_xip('%1$s')))
                order by m.position
                """
                    .formatted(after.from()))) {
      String end = "";
      while (rows.next()) {
        end = rows.getString(1);
        UUID id = rows.getObject(2, UUID.class);
        if (id != null) {
          into.add(id);
        }
      }
      return Cursor.at(end);
    }
  }

  private void publish(int count, boolean synchronous) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < count; i++) {
        statement.execute("set local synchronous_commit = " + (synchronous ? "on" : "off"));
        store.writer().publish(connection, "op", List.of(Message.of("orders", "k" + i, "{}")));
        connection.commit();
      }
    }
  }

  private void rollBack(int count) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < count; i++) {
        statement.execute("select pg_current_xact_id()");
        connection.rollback();
      }
    }
  }

  private record Damage(int phantom, int lost) {}

  private Damage crashAfterReading(Reader reader) throws SQLException {
    List<UUID> read = new ArrayList<>();
    publish(3, true);
    Cursor at = reader.read(store.channels().progress("c").cursor(), read);
    publish(5, false);
    rollBack(60);
    at = reader.read(at, read);
    server.killServer();
    server.restart();
    pool.getHikariPoolMXBean().softEvictConnections();
    await()
        .atMost(Duration.ofSeconds(30))
        .ignoreExceptions()
        .until(() -> store.channels().names().size() == 1);
    publish(10, true);
    reader.read(at, read);

    List<UUID> there = new ArrayList<>();
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select id from holdfast.message")) {
      while (rows.next()) {
        there.add(rows.getObject(1, UUID.class));
      }
    }
    assertThat(read).doesNotHaveDuplicates();
    return new Damage(
        (int) read.stream().filter(id -> !there.contains(id)).count(),
        (int) there.stream().filter(id -> !read.contains(id)).count());
  }

  @Test
  @Attacks({"outbox.delivery.none-invented", "outbox.delivery.none-lost", "outbox.visibility"})
  void whatWasReadBehindTheFenceIsThereAfterACrashAndNothingIsOverlooked() throws SQLException {
    assertThat(crashAfterReading(this::behindTheFence)).isEqualTo(new Damage(0, 0));
  }

  @Test
  @Attacks("outbox.delivery.none-lost")
  void anEmptyWindowBehindTheFenceRestsOnNothingThatACrashTakesBack() throws SQLException {
    List<UUID> read = new ArrayList<>();
    Cursor start = store.channels().progress("c").cursor();
    rollBack(60);
    // An idle channel does not pay for a forced write at once.
    Cursor at = store.log().read("c", start, new OutboxLog.Limit(100, 1 << 20), false).end();
    server.killServer();
    server.restart();
    pool.getHikariPoolMXBean().softEvictConnections();
    await()
        .atMost(Duration.ofSeconds(30))
        .ignoreExceptions()
        .until(() -> store.channels().names().size() == 1);
    publish(10, true);
    behindTheFence(at, read);
    assertThat(read).hasSize(10);
  }

  @Test
  void withoutTheFenceTheSameCrashInventsAndLosesMessages() throws SQLException {
    Damage damage = crashAfterReading(this::withoutAFence);
    assertThat(damage.phantom()).as("read, and not there after the crash").isPositive();
    assertThat(damage.lost()).as("there, and never read").isPositive();
  }
}
