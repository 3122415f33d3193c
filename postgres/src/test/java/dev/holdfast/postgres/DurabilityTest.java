package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.PostgresServer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What {@code transact} has reported as committed, after SIGKILL for the database. */
final class DurabilityTest {
  private static final int TIMES = 20;

  /** Nothing reaches the disk by chance. */
  private static PostgresServer start(String synchronousCommit) {
    return PostgresServer.builder()
        .setting("wal_writer_delay", "10s")
        .setting("wal_writer_flush_after", "1GB")
        .setting("autovacuum", "off")
        .setting("synchronous_commit", synchronousCommit)
        .start();
  }

  @Test
  @Attacks("transact.durability")
  void whatTransactHasReportedIsThereAfterACrash() throws SQLException {
    try (PostgresServer server = start("on")) {
      assertThat(leftAfterACrash(server)).isEqualTo(TIMES);
    }
  }

  /** The negative control, and what the guarantee assumes. */
  @Test
  void whereTheDatabaseDoesNotWaitForTheDiskItIsNot() throws SQLException {
    try (PostgresServer server = start("off")) {
      assertThat(leftAfterACrash(server)).isLessThan(TIMES);
    }
  }

  private static long leftAfterACrash(PostgresServer server) throws SQLException {
    try (HikariDataSource pool = TestDatabase.pool(server.jdbcUrl(), 3)) {
      PostgresStore store = PostgresStore.open(pool, "holdfast");
      store.schema().migrate();
      store.channels().register("orders", List.of("orders"));
      try (Connection connection = pool.getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute("create table account (id serial primary key)");
        statement.execute("checkpoint");
      }
      try (Holdfast holdfast = Holdfast.on(pool).schemaManagedElsewhere().start()) {
        for (int i = 0; i < TIMES; i++) {
          holdfast.transact(
              tx -> {
                try (Statement statement = tx.connection().createStatement()) {
                  statement.execute("insert into account default values");
                }
                tx.publish(Message.of("orders", "k", "{}"));
              });
        }
        server.killServer();
      }
    }
    server.restart();
    try (HikariDataSource pool = TestDatabase.pool(server.jdbcUrl(), 1);
        Connection connection = pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select count(*), (select count(*) from holdfast.message) from account")) {
      assertThat(rows.next()).isTrue();
      assertThat(rows.getLong(2)).as("messages beside rows").isEqualTo(rows.getLong(1));
      return rows.getLong(1);
    }
  }
}
