package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Message;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.Page;
import dev.holdfast.outbox.store.Upkeep;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/**
 * A dump is restored into a new cluster, whose transaction ids are far behind those that the
 * messages carry.
 */
final class RestoreTest {
  private static final int MESSAGES = 35;
  private static final OutboxLog.Limit PAGE = new OutboxLog.Limit(10, 1 << 20);
  private static final Duration LONG = Duration.ofHours(1);
  private static final List<String> TABLES =
      List.of(
          "store", "ring", "channel", "route", "progress", "message_0", "message_1", "message_2");

  private final String schema = TestDatabase.newSchema();
  private final PostgresStore original = PostgresStore.open(TestDatabase.dataSource(), schema);
  private final PostgresServer server = PostgresServer.start();
  private final HikariDataSource pool = TestDatabase.pool(server.jdbcUrl(), 4);
  private final PostgresStore restored = PostgresStore.open(pool, schema);

  @BeforeEach
  void begin() throws SQLException, IOException {
    original.schema().migrate();
    original.channels().register("c", List.of("orders"));
    burnTransactionIds();
    publish(TestDatabase.dataSource(), original, 1, MESSAGES);
    restored.schema().migrate();
    restore();
  }

  @AfterEach
  void end() {
    pool.close();
    server.close();
  }

  private static void burnTransactionIds() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      for (int i = 0; i < 3_000; i++) {
        statement.execute("select pg_current_xact_id()");
      }
    }
  }

  private static void publish(HikariDataSource dataSource, PostgresStore store, int first, int last)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      for (int i = first; i <= last; i++) {
        store.writer().publish(connection, "op", List.of(Message.of("orders", "k" + i, "{}")));
        connection.commit();
      }
    }
  }

  /** The data, as a dump carries it. */
  private void restore() throws SQLException, IOException {
    try (Connection from = TestDatabase.dataSource().getConnection();
        Connection to = pool.getConnection();
        Statement statement = to.createStatement()) {
      statement.execute("delete from %1$s.store; delete from %1$s.ring".formatted(schema));
      for (String table : TABLES) {
        ByteArrayOutputStream rows = new ByteArrayOutputStream();
        String name = schema + "." + table;
        from.unwrap(PGConnection.class).getCopyAPI().copyOut("copy " + name + " to stdout", rows);
        to.unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn("copy " + name + " from stdin", new ByteArrayInputStream(rows.toByteArray()));
      }
      statement.execute("select setval('%s.message_position', %d)".formatted(schema, MESSAGES));
    }
  }

  private static List<String> keys(int first, int last) {
    List<String> keys = new ArrayList<>();
    for (int i = first; i <= last; i++) {
      keys.add("k" + i);
    }
    return keys;
  }

  /** Reads until a window is empty, at most as much as would be there twice. */
  private Cursor read(Cursor from, List<String> into) {
    Cursor at = from;
    Page page;
    do {
      page = restored.log().read("c", at, PAGE, true);
      page.records().stream().map(OutboxRecord::key).map(String::valueOf).forEach(into::add);
      at = page.end();
    } while ((page.hasNext() || !page.isEmpty()) && into.size() < 2 * MESSAGES);
    return at;
  }

  @Test
  void whatTheOutboxHeldIsDeliveredOnceFromTheBeginningAndForgottenInTime() throws SQLException {
    restored.channels().reanchor("c", true, "test");
    List<String> read = new ArrayList<>();
    Cursor at = read(restored.channels().progress("c").cursor(), read);
    assertThat(read).containsExactlyElementsOf(keys(1, MESSAGES));

    read.clear();
    publish(pool, restored, MESSAGES + 1, MESSAGES + 3);
    at = read(at, read);
    assertThat(read).containsExactlyElementsOf(keys(MESSAGES + 1, MESSAGES + 3));

    restored.upkeep().configure(new Upkeep.Settings(Duration.ZERO, null, null));
    Lease upkeep = restored.leases().tryAcquire("upkeep", "me", LONG).orElseThrow();
    Lease leader = restored.leases().tryAcquire("channel/c", "me", LONG).orElseThrow();
    restored.channels().saveProgress(leader, "c", at, "r");
    await().atMost(Duration.ofSeconds(30)).until(() -> restored.upkeep().rotate(upkeep) > 0);
  }

  @Test
  void anotherChannelsNewBeginningRepeatsNothingOfThisOne() {
    restored.channels().reanchor("c", true, "test");
    List<String> read = new ArrayList<>();
    Cursor at = read(restored.channels().progress("c").cursor(), read);
    restored.channels().register("d", List.of("orders"));
    restored.channels().reanchor("d", true, "test");
    read.clear();
    read(at, read);
    assertThat(read).isEmpty();
  }
}
