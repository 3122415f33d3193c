package dev.holdfast.devservices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MariaDbServerTest {
  @SuppressWarnings("NullAway.Init")
  private static MariaDbServer server;

  @BeforeAll
  static void startServer() {
    server = MariaDbServer.builder().setting("innodb_lock_wait_timeout", "7").start();
  }

  @AfterAll
  static void closeServer() {
    server.close();
  }

  @BeforeEach
  void emptyTable() throws SQLException {
    execute("drop table if exists t");
    execute("create table t (n int)");
  }

  @Test
  void hasTheStatedSettings() throws SQLException {
    assertThat(query("select @@innodb_flush_log_at_trx_commit")).isEqualTo("1");
    assertThat(query("select @@bind_address")).isEqualTo("127.0.0.1");
    assertThat(query("select @@log_bin")).isEqualTo("0");
    assertThat(query("select @@character_set_server")).isEqualTo("utf8mb4");
    assertThat(query("select @@global.time_zone")).isEqualTo("+00:00");
    assertThat(query("select version()")).startsWith("11.4.");
    assertThat(query("select @@innodb_lock_wait_timeout")).isEqualTo("7");
  }

  @Test
  void keepsCommittedRowsWhenItIsKilled() throws SQLException {
    execute("insert into t values (1)");
    long before = server.pid();
    server.kill();
    assertThat(Processes.isAlive(before)).isFalse();
    assertThat(Ports.isFree(server.port())).isTrue();
    assertThatThrownBy(() -> query("select 1")).isInstanceOf(SQLException.class);

    server.restart();

    assertThat(server.pid()).isNotEqualTo(before);
    assertThat(query("select count(*) from t")).isEqualTo("1");
  }

  @Test
  void keepsAPreparedBranchWhenItIsKilled() throws SQLException {
    try (Connection connection = DriverManager.getConnection(server.jdbcUrl());
        Statement statement = connection.createStatement()) {
      statement.execute("xa start 'kept'");
      statement.execute("insert into t values (2)");
      statement.execute("xa end 'kept'");
      statement.execute("xa prepare 'kept'");
      server.kill();
    }
    server.restart();
    assertThat(query("select count(*) from t")).isEqualTo("0");
    execute("xa commit 'kept'");
    assertThat(query("select n from t")).isEqualTo("2");
  }

  @Test
  void doesNothingWhilePausedAndRunsOnAfterwards() throws SQLException {
    String impatient = server.jdbcUrl() + "&connectTimeout=1000&socketTimeout=1000";
    server.pause();
    assertThatThrownBy(() -> DriverManager.getConnection(impatient))
        .isInstanceOf(SQLException.class);
    server.resume();
    assertThat(query("select 1")).isEqualTo("1");
  }

  @Test
  void canBeKilledWhilePaused() throws SQLException {
    execute("insert into t values (3)");
    server.pause();
    server.kill();
    server.restart();
    assertThat(query("select n from t")).isEqualTo("3");
  }

  @Test
  void createsDatabases() throws SQLException {
    server.createDatabase("other");
    try (Connection other = DriverManager.getConnection(server.jdbcUrl("other"))) {
      assertThat(other.getCatalog()).isEqualTo("other");
    }
    assertThatThrownBy(() -> server.createDatabase("other"))
        .isInstanceOf(DevServiceException.class)
        .hasMessageContaining("database exists");
  }

  @Test
  void keepsTheDataOfAGivenDirectory(@TempDir Path directory) throws SQLException {
    try (MariaDbServer kept = MariaDbServer.builder().dataDirectory(directory).start()) {
      execute(kept, "create table kept (n int)");
      assertThatThrownBy(() -> MariaDbServer.builder().dataDirectory(directory).start())
          .isInstanceOf(DevServiceException.class)
          .hasMessageContaining("in use");
    }
    try (MariaDbServer again = MariaDbServer.builder().dataDirectory(directory).start()) {
      assertThat(query(again, "select count(*) from kept")).isEqualTo("0");
    }
  }

  @Test
  void saysWhyItDidNotStart(@TempDir Path directory) {
    assertThatThrownBy(
            () ->
                MariaDbServer.builder()
                    .dataDirectory(directory)
                    .setting("no_such_setting", "1")
                    .start())
        .isInstanceOf(DevServiceException.class)
        .hasMessageContaining("unknown variable 'no_such_setting=1'");
  }

  @Test
  void isNotMisledByAStaleProcessId(@TempDir Path directory) throws IOException {
    MariaDbServer.builder().dataDirectory(directory).start().close();
    long stranger = ProcessHandle.current().pid();
    Files.writeString(directory.resolve("server.pid"), stranger + "\n");
    try (MariaDbServer again = MariaDbServer.builder().dataDirectory(directory).start()) {
      assertThat(again.pid()).isNotEqualTo(stranger);
    }
  }

  @Test
  void deletesItsTemporaryDirectory() throws SQLException {
    MariaDbServer temporary = MariaDbServer.start();
    Path data = Path.of(query(temporary, "select @@datadir"));
    assertThat(data).exists();
    temporary.close();
    assertThat(data.getParent()).doesNotExist();
    assertThat(Ports.isFree(temporary.port())).isTrue();
    assertThatThrownBy(temporary::restart).isInstanceOf(DevServiceException.class);
  }

  private static String query(String sql) throws SQLException {
    return query(server, sql);
  }

  private static String query(MariaDbServer at, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(at.jdbcUrl());
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      assertThat(row.next()).isTrue();
      return row.getString(1);
    }
  }

  private static void execute(String sql) throws SQLException {
    execute(server, sql);
  }

  private static void execute(MariaDbServer at, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(at.jdbcUrl());
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
