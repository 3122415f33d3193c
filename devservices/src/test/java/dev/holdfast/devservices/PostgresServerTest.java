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
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PostgresServerTest {
  @SuppressWarnings("NullAway.Init")
  private static PostgresServer server;

  @BeforeAll
  static void startServer() {
    server = PostgresServer.builder().setting("work_mem", "5MB").start();
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
    assertThat(query("show fsync")).isEqualTo("on");
    assertThat(query("show synchronous_commit")).isEqualTo("on");
    assertThat(query("show full_page_writes")).isEqualTo("on");
    assertThat(query("show listen_addresses")).isEqualTo("127.0.0.1");
    assertThat(query("show max_prepared_transactions")).isEqualTo("20");
    assertThat(query("show server_encoding")).isEqualTo("UTF8");
    assertThat(query("show server_version")).startsWith("18.");
    assertThat(query("show log_timezone")).isEqualTo("UTC");
    assertThat(query("show work_mem")).isEqualTo("5MB");
  }

  @Test
  void keepsCommittedRowsWhenTheServerIsKilled() throws SQLException {
    execute("insert into t values (1)");
    long before = server.pid();
    List<Long> children = Processes.children(before);
    server.killServer();
    assertThat(children).isNotEmpty().noneMatch(Processes::isAlive);
    assertThat(Processes.isAlive(before)).isFalse();
    assertThat(Ports.isFree(server.port())).isTrue();
    assertThatThrownBy(() -> query("select 1")).isInstanceOf(SQLException.class);

    server.restart();

    assertThat(server.pid()).isNotEqualTo(before);
    assertThat(query("select count(*) from t")).isEqualTo("1");
  }

  @Test
  void recoversWithTheSamePostmasterWhenABackendIsKilled() throws SQLException {
    long postmaster = server.pid();
    try (Connection victim = DriverManager.getConnection(server.jdbcUrl());
        Statement statement = victim.createStatement()) {
      statement.execute("insert into t values (2)");
      server.killBackend(backendPid(statement));
      assertThatThrownBy(() -> statement.execute("select 1")).isInstanceOf(SQLException.class);
    }
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .ignoreExceptionsInstanceOf(SQLException.class)
        .untilAsserted(() -> assertThat(query("select count(*) from t")).isEqualTo("1"));
    assertThat(server.pid()).isEqualTo(postmaster);
  }

  @Test
  void refusesToKillAProcessThatIsNotABackend() {
    assertThatThrownBy(() -> server.killBackend((int) ProcessHandle.current().pid()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void doesNothingWhilePausedAndRunsOnAfterwards() throws SQLException {
    String impatient = server.jdbcUrl() + "&connectTimeout=1&socketTimeout=1&loginTimeout=1";
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
    server.killServer();
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
        .hasMessageContaining("already exists");
  }

  @Test
  void keepsTheDataOfAGivenDirectoryAndGivesEachServerAnIdentity(@TempDir Path directory)
      throws SQLException {
    String identifier = "select system_identifier from pg_control_system()";
    String first;
    try (PostgresServer kept = PostgresServer.builder().dataDirectory(directory).start()) {
      execute(kept, "create table kept (n int)");
      first = query(kept, identifier);
      assertThat(first).isNotEqualTo(query(identifier));
      assertThatThrownBy(() -> PostgresServer.builder().dataDirectory(directory).start())
          .isInstanceOf(DevServiceException.class)
          .hasMessageContaining("in use");
    }
    try (PostgresServer again = PostgresServer.builder().dataDirectory(directory).start()) {
      assertThat(query(again, "select count(*) from kept")).isEqualTo("0");
      assertThat(query(again, identifier)).isEqualTo(first);
    }
  }

  @Test
  void saysWhyItDidNotStart(@TempDir Path directory) {
    assertThatThrownBy(
            () ->
                PostgresServer.builder()
                    .dataDirectory(directory)
                    .setting("no_such_setting", "1")
                    .start())
        .isInstanceOf(DevServiceException.class)
        .hasMessageContaining("unrecognized configuration parameter \"no_such_setting\"");
  }

  @Test
  void isNotMisledByAStaleProcessId(@TempDir Path directory) throws IOException {
    PostgresServer.builder().dataDirectory(directory).start().close();
    long stranger = ProcessHandle.current().pid();
    Files.writeString(directory.resolve("data/postmaster.pid"), stranger + "\n");
    try (PostgresServer again = PostgresServer.builder().dataDirectory(directory).start()) {
      assertThat(again.pid()).isNotEqualTo(stranger);
    }
  }

  @Test
  void deletesItsTemporaryDirectory() throws SQLException, IOException {
    PostgresServer temporary = PostgresServer.start();
    Path data = Path.of(query(temporary, "show data_directory"));
    assertThat(data).exists();
    temporary.close();
    assertThat(data.getParent()).doesNotExist();
    assertThat(Ports.isFree(temporary.port())).isTrue();
    assertThatThrownBy(temporary::restart).isInstanceOf(DevServiceException.class);
  }

  private static int backendPid(Statement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
      assertThat(row.next()).isTrue();
      return row.getInt(1);
    }
  }

  private static String query(String sql) throws SQLException {
    return query(server, sql);
  }

  private static String query(PostgresServer at, String sql) throws SQLException {
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

  private static void execute(PostgresServer at, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(at.jdbcUrl());
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
