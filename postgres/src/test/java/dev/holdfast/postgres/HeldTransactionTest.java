package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.Page;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A transaction that is held open delays its own messages and nobody else's: what others commit
 * meanwhile is in the very next window, so no time has to pass for the test to tell.
 */
final class HeldTransactionTest {
  private static final int OTHERS = 50;

  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
  private Cursor at = Cursor.at("");

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    at = store.channels().progress("c").cursor();
  }

  private static Connection transaction() throws SQLException {
    Connection connection = TestDatabase.dataSource().getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private void publish(Connection connection, String key) throws SQLException {
    store.writer().publish(connection, "op", List.of(Message.of("orders", key, "{}")));
  }

  private List<String> nextWindow() {
    Page page = store.log().read("c", at, new OutboxLog.Limit(1_000, 1 << 20), true);
    at = page.end();
    return page.records().stream().map(OutboxRecord::key).map(String::valueOf).toList();
  }

  private void othersAreReadAtOnce() throws SQLException {
    for (int i = 0; i < OTHERS; i++) {
      try (Connection connection = transaction()) {
        publish(connection, "other-" + i);
        connection.commit();
      }
      assertThat(nextWindow()).containsExactly("other-" + i);
    }
  }

  @Test
  @Attacks("outbox.delivery.none-lost")
  void inAnotherDatabase() throws SQLException {
    TestDatabase.server().createDatabase(schema + "_elsewhere");
    try (HikariDataSource elsewhere =
            TestDatabase.pool(TestDatabase.server().jdbcUrl(schema + "_elsewhere"), 1);
        Connection held = elsewhere.getConnection()) {
      held.setAutoCommit(false);
      execute(held, "create table t (n int)");
      othersAreReadAtOnce();
      held.rollback();
    }
  }

  @Test
  @Attacks("outbox.delivery.none-lost")
  void inTheSameDatabase() throws SQLException {
    try (Connection held = transaction()) {
      execute(held, "create table " + schema + ".held (n int)");
      othersAreReadAtOnce();
      publish(held, "held");
      held.commit();
      assertThat(nextWindow()).containsExactly("held");
    }
  }

  @Test
  @Attacks("outbox.delivery.none-lost")
  void havingPublishedEarly() throws SQLException {
    try (Connection held = transaction()) {
      publish(held, "held");
      othersAreReadAtOnce();
      held.commit();
      assertThat(nextWindow()).containsExactly("held");
      assertThat(nextWindow()).isEmpty();
    }
  }

  @Test
  @Attacks("outbox.delivery.none-lost")
  void preparedAndInDoubt() throws SQLException {
    String branch = schema + "_branch";
    try (Connection preparing = transaction()) {
      publish(preparing, "held");
      execute(preparing, "prepare transaction '" + branch + "'");
      preparing.commit();
    }
    othersAreReadAtOnce();
    try (Connection deciding = TestDatabase.dataSource().getConnection()) {
      execute(deciding, "commit prepared '" + branch + "'");
    }
    assertThat(nextWindow()).containsExactly("held");
    assertThat(nextWindow()).isEmpty();
  }
}
