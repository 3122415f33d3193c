package dev.holdfast.devservices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backups and standbys of a server that is written to. */
final class PostgresCopiesTest {
  private final PostgresServer original = PostgresServer.start();

  @TempDir private Path directory;

  @BeforeEach
  void createTable() throws SQLException {
    execute(original, "create table t (n int)");
  }

  @AfterEach
  void close() {
    original.close();
  }

  private static void execute(PostgresServer server, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(server.jdbcUrl());
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static long ask(PostgresServer server, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(server.jdbcUrl());
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static long timeline(PostgresServer server) throws SQLException {
    return ask(server, "select timeline_id from pg_control_checkpoint()");
  }

  @Test
  void aBackupIsTheSameDatabaseAsItWas() throws Exception {
    Path copy = directory.resolve("copy");
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              try {
                while (!done.get()) {
                  execute(original, "insert into t select generate_series(1, 100)");
                }
              } catch (SQLException e) {
                throw new IllegalStateException(e);
              }
            });
    original.backup(copy);
    done.set(true);
    writer.join();
    execute(original, "insert into t values (-1)");
    try (PostgresServer restored = PostgresServer.builder().dataDirectory(copy).start()) {
      String identifier = "select system_identifier from pg_control_system()";
      assertThat(ask(restored, identifier)).isEqualTo(ask(original, identifier));
      assertThat(timeline(restored)).isEqualTo(timeline(original));
      assertThat(ask(restored, "select count(*) % 100 from t")).isZero();
      assertThat(ask(restored, "select count(*) from t where n < 0")).isZero();
      execute(restored, "insert into t values (-2)");
      assertThat(ask(original, "select min(n) from t")).isEqualTo(-1);
      assertThatThrownBy(() -> original.backup(copy))
          .isInstanceOf(DevServiceException.class)
          .hasMessageContaining("Nothing was");
    }
  }

  @Test
  void aStandbyFollowsUntilItIsDetachedAndIsPromoted() throws Exception {
    try (PostgresServer standby = PostgresServer.builder().standbyOf(original).start()) {
      execute(original, "insert into t values (1)");
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> ask(standby, "select count(*) from t") == 1);
      assertThatThrownBy(() -> execute(standby, "insert into t values (2)"))
          .isInstanceOf(SQLException.class);

      standby.detach();
      execute(original, "insert into t values (3)");
      original.killServer();
      standby.promote();

      execute(standby, "insert into t values (4)");
      assertThat(ask(standby, "select sum(n) from t")).isEqualTo(5);
      execute(standby, "checkpoint");
      assertThat(timeline(standby)).isEqualTo(2);
    }
  }

  @Test
  void onlyAStandbyCanBeDetached() {
    assertThatThrownBy(original::detach)
        .isInstanceOf(DevServiceException.class)
        .hasMessageContaining("not a standby");
  }
}
